/** Switching KSM on and back, in a folder that stands for the host's. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CowherdError } from '../../base/errors.ts';
import type { KsmSettings } from '../../procfs/ksm.ts';
import { readStat } from '../../procfs/stat.ts';
import { BRISK, changesFor, GENTLE, KsmSwitch } from './ksm-switch.ts';

let folder = '';
let record = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-ksm-'));
  record = path.join(folder, 'record.json');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

type Host = Record<'run' | 'pages_to_scan' | 'sleep_millisecs', number> & { advisor_mode?: string };
const USUAL: Host = { run: 0, pages_to_scan: 100, sleep_millisecs: 20, advisor_mode: 'none' };

function setHost(host: Partial<Host>): void {
  for (const [name, value] of Object.entries(host)) writeFileSync(path.join(folder, name), bracketed(name, value));
}

/** The kernel shows the active advisor in brackets. */
function bracketed(name: string, value: number | string): string {
  return name === 'advisor_mode' ? `[${value}]` : String(value);
}

function host(): Record<string, string> {
  const names = ['run', 'pages_to_scan', 'sleep_millisecs', 'advisor_mode'];
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(path.join(folder, name), 'utf8').replaceAll(/[[\]]/g, '')]),
  );
}

const asText = (values: Host): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));

function ksm(): KsmSwitch {
  return new KsmSwitch(folder, record);
}

function codeOf(work: () => void): string | null {
  try {
    work();
    return null;
  } catch (error) {
    return error instanceof CowherdError ? error.code : String(error);
  }
}

describe('the changes', () => {
  const before: KsmSettings = { run: 0, pagesToScan: 100, sleepMs: 20, advisor: 'scan-time' };

  test('an advisor is switched off first, because it controls pages_to_scan; the merging starts last', () => {
    expect(changesFor(before, BRISK)).toEqual([
      { file: 'advisor_mode', from: 'scan-time', to: 'none' },
      { file: 'pages_to_scan', from: '100', to: '5000' },
      { file: 'sleep_millisecs', from: '20', to: '10' },
      { file: 'run', from: '0', to: '1' },
    ]);
  });

  test('settings that fit already are left alone, and so is a faster pace', () => {
    const fast = { ...before, advisor: null, pagesToScan: 9000, sleepMs: GENTLE.sleepMs };
    expect(changesFor(fast, GENTLE)).toEqual([{ file: 'run', from: '0', to: '1' }]);
  });

  test('nothing changes if KSM runs already: its pace is somebody’s choice', () => {
    expect(changesFor({ ...before, run: 1 }, BRISK)).toEqual([]);
  });

  test('2 is not restored: that would copy everything merged', () => {
    expect(changesFor({ ...before, run: 2 }, BRISK).at(-1)).toEqual({ file: 'run', from: '0', to: '1' });
  });
});

describe('there and back', () => {
  test('everything is restored, whatever it was', () => {
    const setting = fc.record({
      run: fc.constantFrom(0, 1),
      pages_to_scan: fc.integer({ min: 1, max: 20_000 }),
      sleep_millisecs: fc.integer({ min: 0, max: 1000 }),
      advisor_mode: fc.constantFrom('none', 'scan-time'),
    });
    fc.assert(
      fc.property(setting, (before) => {
        setHost(before);
        const one = ksm();
        one.begin(BRISK);
        expect(host()['run']).toBe('1');
        one.end();
        expect(host()).toEqual(asText(before));
        expect(existsSync(record)).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  test('twice has the effect of once', () => {
    setHost(USUAL);
    const one = ksm();
    one.begin(BRISK);
    one.begin(GENTLE);
    one.end();
    one.end();
    expect(host()).toEqual(asText(USUAL));
  });

  test("with `keeps`, KSM keeps running at the host's own pace", () => {
    setHost(USUAL);
    const one = ksm();
    one.begin(BRISK);
    one.end(true);
    expect(host()).toEqual({ ...asText(USUAL), run: '1' });
    expect(existsSync(record)).toBe(false);
  });

  test('a setting that somebody has changed meanwhile stays', () => {
    setHost(USUAL);
    const one = ksm();
    one.begin(BRISK);
    setHost({ pages_to_scan: 777, run: 2 });
    one.end();
    expect(host()).toEqual({ ...asText(USUAL), pages_to_scan: '777', run: '2' });
  });

  test('if a setting can’t be written, nothing is changed', () => {
    setHost(USUAL);
    const one = ksm();
    // Without `run` there is no KSM to switch on.
    rmSync(path.join(folder, 'run'));
    expect(codeOf(() => one.begin(BRISK))).toBe('KSM_UNAVAILABLE');
    setHost(USUAL);
    rmSync(path.join(folder, 'sleep_millisecs'));
    writeFileSync(path.join(folder, 'sleep_millisecs'), '20', { mode: 0o400 });
    if (process.getuid?.() !== 0) {
      expect(codeOf(() => one.begin(BRISK))).toBe('KSM_NOT_ALLOWED');
      expect(host()).toEqual(asText(USUAL));
    }
    expect(existsSync(record)).toBe(false);
  });
});

describe('two switches', () => {
  test('only one at a time, so that neither takes the other’s settings for the host’s', () => {
    setHost(USUAL);
    const [one, other] = [ksm(), ksm()];
    one.begin(BRISK);
    expect(codeOf(() => other.begin(BRISK))).toBe('KSM_NOT_ALLOWED');
    other.end();
    expect(host()['run']).toBe('1');
    one.end();
    other.begin(BRISK);
    other.end();
    expect(host()).toEqual(asText(USUAL));
  });

  const changes = [
    { file: 'pages_to_scan', from: '100', to: '5000' },
    { file: 'run', from: '0', to: '1' },
  ];

  test.each([
    ['that is gone', { pid: 2 ** 22 + 1, startTime: 1 }],
    ['whose number another one has now', { pid: process.pid, startTime: 1 }],
  ])('the settings of an owner %s are restored by the next', (_, owner) => {
    setHost({ ...USUAL, pages_to_scan: 5000, run: 1 });
    writeFileSync(record, JSON.stringify({ ...owner, changes }));
    expect(ksm().leftBehind()).toEqual(changes);
    expect(ksm().recover()).toEqual(changes);
    expect(ksm().leftBehind()).toEqual([]);
    expect(host()).toEqual(asText(USUAL));
    expect(ksm().recover()).toEqual([]);
  });

  test('the settings of a living owner are left alone', () => {
    setHost({ ...USUAL, pages_to_scan: 5000, run: 1 });
    writeFileSync(record, JSON.stringify({ pid: process.pid, startTime: readStat(process.pid)?.startTime, changes }));
    expect(ksm().leftBehind()).toEqual([]);
    expect(ksm().recover()).toEqual([]);
    expect(host()['run']).toBe('1');
    expect(existsSync(record)).toBe(true);
  });

  test.each([
    '',
    '{',
    '{}',
    'null',
    '{"pid":1,"startTime":1,"changes":[{"file":"../../vm/overcommit_memory","from":"0","to":"1"}]}',
    '{"pid":1,"startTime":1,"changes":[{"file":"run","from":0,"to":"0"}]}',
    '{"pid":"x","startTime":1,"changes":[{"file":"run","from":"1","to":"0"}]}',
    '{"pid":1,"startTime":1,"changes":[null]}',
    ' '.repeat(70_000) + '{"pid":4194305,"startTime":1,"changes":[{"file":"run","from":"1","to":"0"}]}',
  ])('a file with the content %j changes nothing, and obstructs nobody', (text) => {
    setHost(USUAL);
    writeFileSync(record, text);
    const one = ksm();
    one.begin(GENTLE);
    one.end();
    expect(host()).toEqual(asText(USUAL));
  });
});
