/**
 * Allocators other than the usual combination: a herd serves, reloads, reforks and stops with each of them, and its
 * status says which steps of the sealing were skipped.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { APPS, serving, type Run } from './support/cowherd.ts';
import { Load } from './support/load.ts';
import { needs, where } from './support/needs.ts';
import { BEST, MINOR } from './support/this-python.ts';

const LIBRARIES = '/usr/lib';

/** Debian's libjemalloc2, for any architecture. */
const JEMALLOC = readdirSync(LIBRARIES)
  .map((folder) => path.join(LIBRARIES, folder, 'libjemalloc.so.2'))
  .find((file) => existsSync(file));

/** For each mold, a map from step names of the heap policy to why the step was skipped; null if it was done. */
async function skippedSteps(run: Run): Promise<Map<string, string | null>[]> {
  const { molds } = await run.status();
  return molds.map(({ report }) => {
    const { steps } = report['heap'] as { steps: { name: string; skipped: string | null }[] };
    return new Map(steps.map(({ name, skipped }) => [name, skipped]));
  });
}

const PYMALLOC = 'the interpreter gives no pymalloc statistics (PYTHONMALLOC is set, or no stderr)';
const HOOKS = 'blocks do not land in the expected size class (is PYTHONMALLOC set?)';
const C_HEAP = 'malloc does not use the main heap (is another allocator loaded?)';

const allocators = [
  { name: "the C library's alone", env: { PYTHONMALLOC: 'malloc' }, seal: PYMALLOC, cHeap: null, missing: null },
  { name: "Python's with its debug hooks", env: { PYTHONMALLOC: 'debug' }, seal: HOOKS, cHeap: null, missing: null },
  {
    name: 'mimalloc',
    env: { PYTHONMALLOC: 'mimalloc' },
    seal: PYMALLOC,
    cHeap: null,
    missing: where(MINOR >= 13, 'needs CPython 3.13 or newer, which has mimalloc'),
  },
  {
    name: "Python's on jemalloc",
    env: { LD_PRELOAD: JEMALLOC ?? '' },
    seal: null,
    cHeap: C_HEAP,
    missing: where(JEMALLOC !== undefined, 'needs jemalloc: apt-get install libjemalloc2'),
  },
  {
    name: 'jemalloc alone',
    env: { LD_PRELOAD: JEMALLOC ?? '', PYTHONMALLOC: 'malloc' },
    seal: PYMALLOC,
    cHeap: C_HEAP,
    missing: where(JEMALLOC !== undefined, 'needs jemalloc: apt-get install libjemalloc2'),
  },
];

for (const { name, env, seal, cHeap, missing } of allocators) {
  test(`allocated by ${name}`, needs(missing), async () => {
    const args = ['heap_app:app', '--chdir', APPS, '-k', 'gthread', '--threads', '3', '--workers', '2'];
    const run = await serving([...args, '--warmup', 'GET /read'], { env });
    const preloads = 'LD_PRELOAD' in env;
    for (const { pid } of await run.workers()) {
      expect(readFileSync(`/proc/${pid}/maps`, 'utf8').includes('libjemalloc')).toBe(preloads);
    }
    const load = ['/read', '/make', '/replace'].map((each) => new Load(run, each, 1));
    const answered = async (more: number): Promise<void> => {
      const before = load.map((each) => each.answered);
      while (load.some((each, index) => each.answered < before[index]! + more)) await run.get('/make');
    };
    await answered(10);
    await run.command('reload', '--runtime-dir', run.runtimeDirectory);
    await answered(10);
    await run.command('refork', '--runtime-dir', run.runtimeDirectory);
    await answered(10);
    for (const each of load) await each.stop();
    expect(load.flatMap((each) => each.failures)).toEqual([]);

    const { herd, molds } = await run.status();
    expect(herd).toMatchObject({ generation: 3, policy: BEST });
    expect(molds.map(({ policy }) => policy)).toEqual(molds.map(() => BEST));
    for (const skipped of await skippedSteps(run)) {
      expect(skipped.get('seal')).toBe(seal);
      expect(skipped.get('seal the C heap')).toBe(cHeap);
      const others = [...skipped].filter(([step, reason]) => !step.startsWith('seal') && reason !== null);
      expect(others).toEqual([]);
    }
    const warnings = run.log.filter(({ level }) => level === 'warning' || level === 'error');
    expect(warnings).toEqual([]);
    await run.stop();
  });
}
