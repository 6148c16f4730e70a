import { expect, test } from 'vitest';
import { bytes, mebibytes } from '../../base/units.ts';
import type { KernelFacts } from '../../procfs/kernel.ts';
import { type Check, checks, type Facts } from './doctor-checks.ts';

const kernel: KernelFacts = {
  release: '6.12.0',
  version: [6, 12],
  capabilities: { sysPtrace: true, sysAdmin: true, perfmon: true },
  smapsRollup: true,
  pagemap: true,
  perfEventParanoid: 2,
  faultTracepoint: true,
  ptraceScope: 1,
  transparentHugePages: 'madvise',
  ksmRun: 0,
  ksmProblem: null,
  overcommit: 0,
};
const facts: Facts = {
  platform: 'linux',
  kernel,
  perfCommand: true,
  cgroup: null,
  memoryAvailable: mebibytes(4000),
  ksmLeftOn: false,
  runtimeDirectory: { path: '/run/cowherd', problem: null },
};
const nobody = { sysPtrace: false, sysAdmin: false, perfmon: false };

const check = (name: string, changed: Partial<Facts>): Check =>
  checks({ ...facts, ...changed }).find((candidate) => candidate.name === name)!;
const withKernel = (name: string, changed: Partial<KernelFacts>): Check =>
  check(name, { kernel: { ...kernel, ...changed } });

test('no advice on a machine that has everything', () => {
  for (const { name, state, advice } of checks(facts))
    expect({ name, state, advice }).toEqual({ name, state: 'ok', advice: null });
});

test('each check that fails has one line of advice', () => {
  const worst = checks({
    platform: 'darwin',
    kernel: {
      ...kernel,
      version: [3, 2],
      capabilities: nobody,
      smapsRollup: false,
      pagemap: false,
      perfEventParanoid: 4,
      faultTracepoint: false,
      ptraceScope: 3,
      transparentHugePages: 'always',
      ksmRun: null,
      ksmProblem: { kind: 'not built in' },
      overcommit: 2,
    },
    perfCommand: false,
    ksmLeftOn: false,
    cgroup: { limit: mebibytes(100), current: mebibytes(99), oomKills: 2 },
    memoryAvailable: bytes(0),
    runtimeDirectory: { path: '/run/cowherd', problem: 'EACCES' },
  });
  for (const { name, state, advice } of worst) {
    expect({ name, state }).not.toEqual({ name, state: 'ok' });
    expect(advice).toMatch(/^[^\n]+\.$|\(as root\)\.$/);
  }
  expect(worst.filter(({ required }) => required).map(({ name }) => name)).toEqual([
    'child_subreaper',
    'runtime_directory',
  ]);
});

test.each<[string, Partial<KernelFacts>, Check['state'], RegExp | null]>([
  ['ksm', { ksmProblem: { kind: 'not allowed', reason: 'EACCES' } }, 'limited', /cowherd heal.* as root/],
  ['ksm', { ksmProblem: { kind: 'not allowed', reason: 'EROFS' } }, 'limited', /on the host/],
  ['ksm', { ksmProblem: { kind: 'not allowed', reason: 'EACCES' }, ksmRun: 1 }, 'ok', null],
  ['ksm', { ksmProblem: { kind: 'too old' } }, 'missing', /6\.4/],
  ['pagemap', { capabilities: nobody, ptraceScope: 0 }, 'ok', null],
  ['pagemap', { capabilities: nobody, ptraceScope: 1 }, 'limited', /CAP_SYS_PTRACE/],
  ['pagemap', { ptraceScope: 3 }, 'limited', /ptrace_scope/],
  ['perf', { capabilities: nobody, perfEventParanoid: 4 }, 'missing', /CAP_PERFMON/],
  ['perf', { capabilities: nobody, perfEventParanoid: 2 }, 'limited', /page-faults:u/],
  ['perf', { faultTracepoint: false }, 'limited', /tracefs/],
  ['perf', { perfEventParanoid: null }, 'missing', /CONFIG_PERF_EVENTS/],
  ['transparent_huge_pages', { transparentHugePages: null }, 'ok', null],
  ['child_subreaper', { version: [3, 3] }, 'missing', /3\.4/],
])('%s with %o is %s', (name, changed, state, advice) => {
  const found = withKernel(name, changed);
  expect(found.state).toBe(state);
  if (advice === null) expect(found.advice).toBeNull();
  else expect(found.advice).toMatch(advice);
});

test('a cgroup limit is shown, and is a warning only after a kill', () => {
  const cgroup = { limit: mebibytes(512), current: mebibytes(100), oomKills: 0 };
  expect(check('memory_limit', { cgroup })).toMatchObject({
    state: 'ok',
    found: 'cgroup limit 512.0 MiB, 100.0 MiB used',
  });
  expect(check('memory_limit', { cgroup: { ...cgroup, oomKills: 1 } }).state).toBe('limited');
});

test('KSM left on by a killed heal is reported, with the way to stop it', () => {
  const running = { ...kernel, ksmRun: 1 };
  expect(check('ksm', { kernel: running })).toMatchObject({ state: 'ok', advice: null });
  expect(check('ksm', { kernel: running, ksmLeftOn: true })).toMatchObject({
    state: 'limited',
    found: 'running, for whole processes, left on by a heal that was killed',
    advice: expect.stringMatching(/^Run `cowherd heal` as root.*echo 0 > \/sys\/kernel\/mm\/ksm\/run\.$/) as string,
  });
});
