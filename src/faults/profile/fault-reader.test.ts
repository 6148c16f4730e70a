import { expect, test } from 'vitest';
import { FaultReader, type FaultReaderOptions } from './fault-reader.ts';
import type { Frame, Sample } from '../perf/perf-script.ts';
import { recordReport, type ReportFacts } from '../recording/report.ts';
import { SharedPages } from './shared-pages.ts';

const frame = (name: string | null, module: string | null = '/usr/lib/libpython3.13.so.1.0'): Frame => ({
  name,
  address: '7f10',
  offset: 4,
  module,
});
const sample = (given: Partial<Sample> = {}): Sample => ({
  command: 'gunicorn',
  pid: 7,
  seconds: 101,
  event: 'exceptions:page_fault_user',
  faultAddress: null,
  errorCode: null,
  frames: [frame('gc_collect_main'), frame('_start')],
  ...given,
});
const options: FaultReaderOptions = {
  excluded: new Set(),
  sharedPagesOf: null,
  startSeconds: () => 100,
  unwound: false,
  maps: null,
};
const facts: ReportFacts = {
  title: 'gunicorn, 2 workers',
  takenAt: new Date(0),
  parent: 1,
  fromFork: false,
  seconds: 2,
  pageBytes: 4096,
  instrument: null,
  callGraph: 'fp',
  counters: null,
};

function readAll(samples: readonly Sample[], given: Partial<FaultReaderOptions> = {}): FaultReader {
  const reader = new FaultReader({ ...options, ...given });
  for (const each of samples) reader.onSample(each);
  return reader;
}

test('faults that are not copies, and those of excluded processes, do not count', () => {
  const reader = readAll(
    [
      sample({ errorCode: 7 }),
      sample({ errorCode: 6 }),
      sample({ pid: 1 }),
      sample({ event: 'cycles:u' }),
      sample({ event: 'page-faults:u' }),
    ],
    { excluded: new Set([1]) },
  );
  expect(reader.profile.faults).toBe(2);
  expect(reader).toMatchObject({ notCopies: 1, excludedFaults: 1 });
  expect([...reader.otherEvents]).toEqual([['cycles:u', 1]]);
});

test('with an event for all faults, each shared page counts once', () => {
  const pages = new SharedPages(4096, [{ start: 0x10000, end: 0x14000, bits: Uint8Array.of(0b0101) }]);
  const at = (faultAddress: number | null): Sample => sample({ event: 'page-faults:u', faultAddress });
  const addresses = [0x10008, 0x10ff0, 0x11000, 0x12000, 0x9000, 0x14000, null];
  const reader = readAll(addresses.map(at), { sharedPagesOf: (pid) => (pid === 7 ? pages : null) });
  expect(reader.profile.faults).toBe(2);
  expect(reader.notCopies).toBe(5);
  expect(readAll([at(0x10008)], { sharedPagesOf: () => null }).profile.faults).toBe(0);
});

test("a child starts with its parent's shared pages", () => {
  const pages = new SharedPages(4096, [{ start: 0, end: 0x8000, bits: Uint8Array.of(0b10) }]);
  const copy = pages.copy();
  expect([copy.take(0x1000), copy.take(0x1000), pages.take(0x1000)]).toEqual([true, false, true]);
});

test("an inlined function has its caller's file; Python functions are told from C functions", () => {
  const frames = [
    frame('Py_INCREF', null),
    frame('_PyEval_EvalFrameDefault'),
    frame('py::Shop.total:/srv/shop.py', '/tmp/perf-7.map'),
    frame(null, '/usr/lib/libz.so.1'),
    frame('_start', '/usr/bin/python3'),
  ];
  const { profile } = readAll([sample({ frames })]);
  expect(profile.frames.toReversed()).toEqual([
    { name: '_start', file: '/usr/bin/python3', language: 'native' },
    { name: '[libz.so.1]', file: '/usr/lib/libz.so.1', language: 'native' },
    { name: 'Shop.total', file: '/srv/shop.py', language: 'python' },
    { name: '_PyEval_EvalFrameDefault', file: '/usr/lib/libpython3.13.so.1.0', language: 'native' },
    { name: 'Py_INCREF', file: '/usr/lib/libpython3.13.so.1.0', language: 'native' },
  ]);
  expect(profile.causes.refcount).toBe(1);
});

test('lost samples are counted once, although perf reports them twice', () => {
  const reader = readAll([sample(), sample(), sample()]);
  for (const count of [2, 5]) reader.onLost(count, 'ring');
  reader.onLost(7, 'total');
  expect(reader.lost).toBe(7);
  const report = recordReport(reader, facts);
  expect(report.lost_percent).toBe(70);
  expect(report.remarks.join('\n')).toMatch(/faster than they could be written down/);
});

test('the report: shares, functions, time', () => {
  const dealloc = [frame('list_dealloc'), frame('py::f:/srv/f.py'), frame('_start')];
  const report = recordReport(
    readAll([sample(), sample(), sample(), sample({ seconds: 101.5, frames: dealloc })]),
    facts,
  );
  expect(report).toMatchObject({ faults: 4, bytes: 4 * 4096, lost: 0, whole_stacks_percent: 100, remarks: [] });
  expect(report.causes.collector).toEqual({ faults: 3, bytes: 3 * 4096, percent: 75 });
  expect(report.functions.map(({ name, cause, faults }) => [name, cause, faults])).toEqual([
    ['gc_collect_main', 'collector', 3],
    ['list_dealloc', 'refcount', 1],
  ]);
  expect(report.python_functions).toMatchObject([{ name: 'f', file: '/srv/f.py', faults: 1 }]);
  expect(report.stacks[0]).toMatchObject({ frames: ['_start', 'gc_collect_main'], faults: 3, cause: 'collector' });
  expect(report.over_time.buckets).toHaveLength(20);
  expect(report.over_time.buckets[10]).toMatchObject({ collector: 3 });
  expect(report.over_time.buckets[15]).toMatchObject({ refcount: 1 });
});

test('remarks name missing callers and symbols', () => {
  const leaf = [frame(null, '/usr/bin/python3.11')];
  const { remarks } = recordReport(readAll([sample({ frames: leaf })]), facts);
  expect(remarks.join('\n')).toMatch(/without frame pointers.*--call-graph dwarf/);
  expect(remarks.join('\n')).toMatch(/100% of the faults are in code without symbols.*\/usr\/bin\/python3\.11/);
});

test('a recording without faults has a report', () => {
  expect(recordReport(readAll([]), facts)).toMatchObject({ faults: 0, lost_percent: 0, functions: [], remarks: [] });
});
