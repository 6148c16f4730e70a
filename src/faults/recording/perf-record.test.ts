import { expect, test } from 'vitest';
import { seconds } from '../../base/units.ts';
import { chooseInstrument } from './instrument.ts';
import { bufferSize, failureOf, parseLockable, recorderArguments, type RecordingOptions } from './perf-record.ts';

const options: RecordingOptions = {
  instrument: chooseInstrument({
    kernel: {
      capabilities: { sysPtrace: true, sysAdmin: true, perfmon: true },
      perfEventParanoid: 2,
      faultTracepoint: true,
    },
    architecture: 'x64',
    tracefsMounted: true,
  }),
  callGraph: 'fp',
  processes: [11, 12],
  parent: 10,
  fromFork: false,
  seconds: seconds(2.5),
  lockable: null,
  stop: new AbortController().signal,
  onBegun: () => {},
};

function valueOf(args: readonly string[], name: string): string | undefined {
  return args[args.indexOf(name) + 1];
}

test('the workers are recorded, or the process that will fork them', () => {
  expect(valueOf(recorderArguments(options, 2), '--pid')).toBe('11,12');
  expect(valueOf(recorderArguments({ ...options, fromFork: true }, 2), '--pid')).toBe('10');
});

test('every fault is a sample, and the recorder ends by itself', () => {
  const args = recorderArguments(options, 2);
  expect(valueOf(args, '--filter')).toBe('error_code==7');
  expect(args.slice(-2)).toEqual(['sleep', '8']);
  const software = { ...options.instrument, name: 'software', event: 'page-faults:u', filter: null } as const;
  expect(valueOf(recorderArguments({ ...options, instrument: software }, 2), '--count')).toBe('1');
});

test('buffers are as large as allowed, at most 256 MiB in all', () => {
  expect(bufferSize(null, 2, 'fp')).toBe('65536K');
  expect(bufferSize(null, 64, 'fp')).toBe('4096K');
  expect(bufferSize(null, 2, 'dwarf')).toBe('131072K');
  expect(bufferSize(8 * 2 ** 20, 2, 'fp')).toBe('4096K');
  expect(bufferSize(65_536, 8, 'fp')).toBe('512K');
  expect(bufferSize(0, 128, 'dwarf')).toBe('512K');
});

test('the memory that a process may lock', () => {
  const line = 'Max locked memory         8388608              8388608              bytes     \n';
  expect(parseLockable(`Limit  Soft Limit\n${line}`)).toBe(8_388_608);
  expect(parseLockable(line.replace('8388608', 'unlimited'))).toBe(256 * 2 ** 20);
  expect(parseLockable('')).toBe(0);
});

test("errors for perf's messages", () => {
  const refused = `Error:
Access to performance monitoring and observability operations is limited.
Consider adjusting /proc/sys/kernel/perf_event_paranoid setting to open`;
  expect(failureOf(refused)).toMatchObject({
    code: 'PERF_NOT_ALLOWED',
    detail: 'Access to performance monitoring and observability operations is limited',
  });
  expect(failureOf('Permission error mapping pages.\n').code).toBe('PERF_NOT_ALLOWED');
  expect(failureOf("Couldn't create thread/CPU maps: No such process\n").code).toBe('PROCESS_ENDED');
  expect(failureOf('Segmentation fault\n')).toMatchObject({ code: 'INTERNAL' });
});
