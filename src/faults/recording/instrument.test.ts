import { expect, test } from 'vitest';
import { chooseInstrument, type RecordingFacts } from './instrument.ts';

const NOBODY = { sysPtrace: false, sysAdmin: false, perfmon: false };
const root: RecordingFacts = {
  kernel: { capabilities: { ...NOBODY, sysAdmin: true, perfmon: true }, perfEventParanoid: 2, faultTracepoint: true },
  architecture: 'x64',
  tracefsMounted: true,
};
const user: RecordingFacts = {
  ...root,
  kernel: { capabilities: NOBODY, perfEventParanoid: 2, faultTracepoint: false },
};

test('the tracepoint, if it is available', () => {
  expect(chooseInstrument(root)).toMatchObject({ name: 'tracepoint', filter: 'error_code==7', missing: null });
  expect(
    chooseInstrument({ ...user, kernel: { ...user.kernel, perfEventParanoid: -1, faultTracepoint: true } }),
  ).toMatchObject({
    name: 'tracepoint',
  });
  const recorder = { ...NOBODY, perfmon: true };
  expect(chooseInstrument({ ...root, kernel: { ...root.kernel, capabilities: recorder } }).name).toBe('tracepoint');
});

test('otherwise the software event, with how to get the tracepoint', () => {
  const cases: [Partial<RecordingFacts>, RegExp][] = [
    [{ architecture: 'arm64' }, /x86; this is arm64/],
    [{ tracefsMounted: false }, /sudo mount -t tracefs tracefs \/sys\/kernel\/tracing/],
    [{ kernel: user.kernel }, /CAP_PERFMON.*setcap cap_perfmon\+ep/],
    [{ kernel: { ...root.kernel, faultTracepoint: false } }, /mount -o remount,mode=755/],
  ];
  for (const [facts, missing] of cases) {
    const chosen = chooseInstrument({ ...root, ...facts });
    expect(chosen.name).toBe('software');
    expect(chosen.missing).toMatch(missing);
  }
});

test('the wanted instrument, if it is available', () => {
  expect(chooseInstrument(root, 'software')).toMatchObject({ name: 'software', missing: null });
  expect(() => chooseInstrument(user, 'tracepoint')).toThrow(expect.objectContaining({ code: 'PERF_NOT_ALLOWED' }));
});

test('a kernel that does not allow recording', () => {
  const strict = { ...user, kernel: { ...user.kernel, perfEventParanoid: 3 } };
  expect(() => chooseInstrument(strict)).toThrow(
    expect.objectContaining({ code: 'PERF_NOT_ALLOWED', detail: 'kernel.perf_event_paranoid is 3' }),
  );
  expect(chooseInstrument({ ...root, kernel: { ...root.kernel, perfEventParanoid: 4 } }).name).toBe('tracepoint');
  const none = { ...root, kernel: { ...root.kernel, perfEventParanoid: null } };
  expect(() => chooseInstrument(none)).toThrow(expect.objectContaining({ code: 'PERF_NOT_ALLOWED' }));
});
