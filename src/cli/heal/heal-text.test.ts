/** The output of a heal: data first, then text. */
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { mebibytes } from '../../base/units.ts';
import { begin, follow } from '../../supervisor/rules/heal-settled.ts';
import type { StatusReport } from '../../supervisor/control/status.ts';
import { type HealCourse, healReport, type HealSample } from './heal-report.ts';
import { targetOfHerd } from './heal-target.ts';
import { formatBegin, formatHeal, formatQuestion, formatSample } from './heal-text.ts';

function sample(seconds: number, pssMib: number, mergedMib: number, fullScans: number): HealSample {
  return {
    seconds,
    pss: mebibytes(pssMib),
    pss_before: mebibytes(600),
    merged: mebibytes(mergedMib),
    profit: mebibytes(mergedMib - 10),
    ksmd_cpu_seconds: seconds / 2,
    host: {
      full_scans: fullScans,
      pages_shared: 1000,
      pages_sharing: 70_000,
      general_profit: mebibytes(mergedMib - 20),
    },
  };
}

const samples = [sample(0, 600, 0, 4), sample(2, 400, 300, 6), sample(4, 300, 400, 8)];
const changes = [
  { file: 'pages_to_scan', from: '100', to: '5000' },
  { file: 'run', from: '0', to: '1' },
];
const course: HealCourse = {
  target: 'the herd of shop.wsgi',
  policy: 'stock',
  processes: [1, 2, 3],
  notMergeable: [],
  samples,
  progress: { ...begin({ fullScans: 4, merged: mebibytes(0) }), settled: true },
  interrupted: false,
  changes,
  keeps: false,
};

test("the report has the memory won, and the host's settings", () => {
  expect(healReport(course)).toMatchObject({
    won: mebibytes(300),
    seconds: 4,
    ksmd_cpu_seconds: 2,
    end: 'settled',
    host: { changed: [{ file: 'pages_to_scan', before: '100', during: '5000' }, { file: 'run' }], put_back: true },
  });
  expect(healReport({ ...course, interrupted: true }).end).toBe('interrupted');
  const slow = follow(begin({ fullScans: 4, merged: mebibytes(0) }), { fullScans: 5, merged: mebibytes(9) });
  expect(healReport({ ...course, progress: slow }).end).toBe('time is up');
});

test('the text tells the win together with its cost and how long it lasts', () => {
  const text = stripVTControlCharacters(formatHeal(healReport(course)));
  expect(text).toContain('Settled after 4.0 s: 600.0 MiB -> 300.0 MiB PSS, 300.0 MiB won (50%)');
  expect(text).toContain('ksmd: 2.0 s of CPU time');
  expect(text).toContain('The settings of the host are as before: pages_to_scan 100, run 0.');
  expect(text).toContain('A merged page that is written is copied again. Under heap policy stock');
  expect(stripVTControlCharacters(formatHeal(healReport({ ...course, policy: 'freeze' })))).not.toContain(
    'Under heap policy',
  );
});

test('the text tells what became of the settings', () => {
  expect(formatHeal(healReport({ ...course, keeps: true }))).toContain('echo 0 > /sys/kernel/mm/ksm/run');
  expect(formatHeal(healReport({ ...course, changes: [] }))).toContain('KSM was on before');
});

test('without a visible ksmd, no CPU time is given', () => {
  const unseen = { ...sample(4, 300, 400, 8), ksmd_cpu_seconds: null };
  expect(formatHeal(healReport({ ...course, samples: [unseen] }))).toContain('ksmd: not to be seen here');
  expect(formatSample(unseen)).toContain('ksmd ? s');
});

test('the question names each setting, and what becomes of it', () => {
  const question = formatQuestion(changes, false);
  expect(question).toContain('/sys/kernel/mm/ksm/pages_to_scan       100 -> 5000');
  expect(question).toContain('Afterwards they are put back');
  expect(formatQuestion(changes, true)).toContain('--keep');
});

test('processes that cannot be merged are named', () => {
  expect(stripVTControlCharacters(formatBegin('it', 3, sample(0, 600, 0, 4), []))).toBe(
    'Healing it: 3 processes, 600.0 MiB PSS',
  );
  expect(formatBegin('it', 3, sample(0, 600, 0, 4), [7, 8])).toContain('7, 8');
});

test("a herd's ready workers are healed, and the molds of the generations in use", () => {
  const report = {
    herd: { app: 'shop.wsgi', folder: '/srv/shop', policy: 'freeze', generation: 3 },
    molds: [
      { pid: 9, phase: 'ready', generation: 1 },
      { pid: 10, phase: 'ready', generation: 2 },
      { pid: 11, phase: 'ready', generation: 3 },
      { pid: 12, phase: 'loading', generation: 4 },
    ],
    workers: [
      { pid: 20, state: 'ready', generation: 2 },
      { pid: 21, state: 'booting', generation: 3 },
      { pid: 22, state: 'draining', generation: 1 },
    ],
  } as unknown as StatusReport;
  expect(targetOfHerd('/run/shop', report)).toEqual({
    name: 'the herd shop.wsgi of /srv/shop (/run/shop)',
    pids: [10, 11, 20],
    directory: '/run/shop',
    policy: 'freeze',
  });
});
