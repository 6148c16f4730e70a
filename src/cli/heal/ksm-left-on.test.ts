import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readStat } from '../../procfs/stat.ts';
import { KsmSwitch } from '../../supervisor/ksm/ksm-switch.ts';
import { ksmLeftOn } from './ksm-left-on.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-ksm-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function line(owner: object): string | null {
  const record = path.join(folder, 'record.json');
  writeFileSync(record, JSON.stringify({ ...owner, changes: [{ file: 'run', from: '0', to: '1' }] }));
  return ksmLeftOn(new KsmSwitch(folder, record));
}

test('KSM left on by a killed heal is reported, with its former settings', () => {
  expect(line({ pid: 2 ** 22 + 1, startTime: 1 })).toMatch(
    /^KSM was left on by a process that was killed while it healed \(run 1, before 0\)\. Run `cowherd heal` as root/,
  );
});

test('nothing is reported for a running heal, or without one', () => {
  expect(line({ pid: process.pid, startTime: readStat(process.pid)?.startTime })).toBeNull();
  expect(ksmLeftOn(new KsmSwitch(folder, path.join(folder, 'none')))).toBeNull();
});
