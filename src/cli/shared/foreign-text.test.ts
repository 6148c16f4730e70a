/** Names of processes, sockets and files can't control the terminal in the output of commands. */
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { FAULT_CAUSE_NAMES } from '../../faults/profile/causes.ts';
import type { RecordReport } from '../../faults/recording/report.ts';
import { CAUSE_NAMES } from '../../forensics/pages/causes.ts';
import type { WhyReport } from '../../forensics/answer/report.ts';
import type { RestartRecord } from '../../supervisor/restarts/restart-record.ts';
import { plainTable } from './plain-table.ts';
import { formatHistory } from '../control/history-table.ts';
import { formatRecord } from '../record/record-text.ts';
import { formatWhy } from '../why/why-text.ts';

const EVIL = '\u001B]0;PWN\u0007\u001B[7m\u009B31m\u202Egpj\n[CRITICAL] forged';
const SHOWN = String.raw`\x1b]0;PWN\x07\x1b[7m\x9b31m\u{202e}gpj\n[CRITICAL] forged`;

/** How often the evil text is shown, or a description of its effect if it has any. */
function timesShown(text: string): number | string {
  // Colors of the command itself are allowed.
  // oxlint-disable-next-line no-control-regex -- removes SGR sequences
  const plain = text.replaceAll(/\u001B\[\d+m/g, '');
  if (/[^\P{C}\n]/u.test(plain)) return `it steers: ${JSON.stringify(plain)}`;
  if (/^\[CRITICAL\]/m.test(plain)) return `it has a line of its own: ${plain}`;
  return plain.split(SHOWN).length - 1;
}

test('in a table', () => {
  expect(
    timesShown(
      plainTable(['name', 'state'], [[EVIL, { text: EVIL, paint: (text) => `\u001B[32m${text}\u001B[39m` }]], 1),
    ),
  ).toBe(2);
});

test('in `cowherd why`', () => {
  const none = { pages: 0, bytes: 0, percent: 0 };
  const worker = {
    pid: 2,
    unshared: 4096,
    fresh: 0,
    fresh_alike_percent: null,
    causes: Object.fromEntries(CAUSE_NAMES.map((name) => [name, none])),
    owners: [{ module: EVIL, type: 'dict', causes: {}, bytes: 4096, percent: 100, bystander_bytes: 0 }],
    modules: [{ module: EVIL, causes: {}, bytes: 4096, percent: 100 }],
    mappings: [EVIL, 'other'].map((name) => ({ name, unshared_bytes: 1, shared_bytes: 1 })),
  };
  const report = {
    reference: {
      pid: 1,
      name: EVIL,
      interpreter: null,
      problem: null,
      policy: null,
      has_census: true,
      census_problem: EVIL,
    },
    workers: [worker],
    median_pid: 2,
    seconds: 1,
    advice: [{ text: EVIL, bytes_won_per_worker: 1, bytes_won_in_all: 1 }],
  } as unknown as WhyReport;
  expect(timesShown(formatWhy(report))).toBe(6);
});

test('in `cowherd record`', () => {
  const some = { faults: 1, bytes: 4096, percent: 100, cause: 'other' };
  const report = {
    title: EVIL,
    faults: 2,
    bytes: 8192,
    seconds: 1,
    lost: 0,
    lost_percent: 0,
    instrument: { event: 'page-faults:u', meaning: '' },
    causes: Object.fromEntries(FAULT_CAUSE_NAMES.map((name) => [name, { ...some, faults: 0 }])),
    over_time: { bucket_seconds: 1, buckets: [] },
    processes: [
      { ...some, pid: 1, name: EVIL },
      { ...some, pid: 2, name: EVIL },
    ],
    functions: [{ ...some, name: EVIL, file: 'x', language: 'native' }],
    python_functions: [],
    stacks: [{ frames: ['a', EVIL], percent: 1 }],
    counters: null,
    remarks: [EVIL],
  } as unknown as RecordReport;
  expect(timesShown(formatRecord(report))).toBe(6);
});

test('in `cowherd history`', () => {
  const record = {
    kind: 'reload',
    by: EVIL,
    started: '2026-01-01T00:00:00Z',
    failure: EVIL,
    from: 1,
    to: 2,
    duration_seconds: 1,
    host: null,
    faults: { minor: 0, major: 0 },
    requests: { answered: 0, errors: 0, cut: 0 },
  } as unknown as RestartRecord;
  expect(timesShown(stripVTControlCharacters(formatHistory('x', [record])))).toBe(2);
});
