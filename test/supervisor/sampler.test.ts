/** The sampler on real processes: a Python mold that forks a worker, which writes to what they share. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mebibytes } from '../../src/base/units.ts';
import { findInterpreter } from '../../src/cpython/discover.ts';
import { Sampler } from '../../src/supervisor/sampling/sampler.ts';
import { until } from '../support/until.ts';

/** 64 MiB in pages of the mold's own; on "fork" it forks; a number goes to the worker, which writes to so many MiB. */
const MOLD = `
import mmap, os, sys
heap = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
def touch(mebibytes):
    for offset in range(0, mebibytes << 20, 4096):
        heap[offset] = (heap[offset] + 1) % 256
touch(64)
reader, writer = os.pipe()
print("ready", flush=True)
while line := sys.stdin.readline().strip():
    if line != "fork":
        os.write(writer, line.encode())
    elif os.fork() == 0:
        print(os.getpid(), flush=True)
        touch(int(os.read(reader, 10)))
        print("written", flush=True)
        os.read(reader, 10)
        os._exit(0)
os._exit(0)
`;

let mold: ChildProcess;
let lines: Interface;
let workerPid: number | null;
let sampler: Sampler;

async function answerTo(command: string | null): Promise<string> {
  const answer = new Promise<string>((resolve) => {
    lines.once('line', resolve);
  });
  if (command !== null) mold.stdin?.write(`${command}\n`);
  return await answer;
}

beforeEach(async () => {
  const python = await findInterpreter({ cwd: '/', env: process.env });
  mold = spawn(python.path, ['-c', MOLD], { stdio: ['pipe', 'pipe', 'inherit'] });
  lines = createInterface({ input: mold.stdout! });
  workerPid = null;
  sampler = new Sampler(100);
  await answerTo(null);
});

afterEach(() => {
  sampler.stop();
  if (workerPid !== null) process.kill(workerPid, 'SIGKILL');
  mold.kill('SIGKILL');
});

test('what a worker unshares is seen, and is told from what it makes itself', async () => {
  sampler.watch(mold.pid!, 'mold', 1);
  workerPid = Number(await answerTo('fork'));
  sampler.watch(workerPid, 'worker', 1);
  const pid = workerPid;

  const first = await until('a sample', () => sampler.sampleOf(pid));
  expect(first.memory.shared).toBeGreaterThan(mebibytes(60));
  expect(first.memory.unshared).toBeLessThan(mebibytes(3));

  expect(await answerTo('40')).toBe('written');
  const later = await until('a sample', () => {
    const sample = sampler.sampleOf(pid);
    return sample !== null && sample.memory.unshared > mebibytes(38) ? sample : null;
  });
  expect(later.memory.unshared).toBeLessThan(mebibytes(44));
  expect(later.memory.fresh).toBeLessThan(mebibytes(3));
  expect(later.sampledAtMs).toBeGreaterThan(first.sampledAtMs);
  expect(later.minorFaults - first.minorFaults).toBeGreaterThanOrEqual(40 * 256 * 0.9);
});

test('all of a mold is fresh, and its size can be had at any time', async () => {
  sampler.watch(mold.pid!, 'mold', 1);
  const { memory } = await until('a sample', () => sampler.sampleOf(mold.pid!));
  expect(memory.unshared).toBe(0);
  expect(memory.fresh).toBeGreaterThan(mebibytes(64));
  expect(sampler.rssOf(mold.pid!)).toBeGreaterThan(mebibytes(64));
});

test('a process that has ended costs no error, and one that was forgotten has no figures', async () => {
  sampler.watch(mold.pid!, 'mold', 1);
  await until('a sample', () => sampler.sampleOf(mold.pid!));
  const exited = new Promise((resolve) => {
    mold.once('exit', resolve);
  });
  mold.kill('SIGKILL');
  await exited;
  await sleep(1200);
  expect(sampler.rssOf(mold.pid!)).toBeNull();
  sampler.forget(mold.pid!);
  expect(sampler.sampleOf(mold.pid!)).toBeNull();
});

test('64 processes are sampled within one percent of a core', async () => {
  sampler.setBudget(1);
  // One mold under many numbers would be one process; 64 sleeping ones are many.
  const sleepers = Array.from({ length: 64 }, () => spawn('sleep', ['60'], { stdio: 'ignore' }));
  try {
    for (const sleeper of sleepers) sampler.watch(sleeper.pid!, 'worker', 1);
    const started = performance.now();
    await until('a sample of each', () => sleepers.every((sleeper) => sampler.sampleOf(sleeper.pid!) !== null));
    // What it has spent can't be more than its share of the time, the credit it begins with (ten seconds' worth), and
    // what one wake-up overdraws: the longest of those that are seen here.
    const firstCreditMs = 100;
    const elapsedMs = (): number => performance.now() - started;
    const spentMs = (): number => (sampler.cost().spentPercent / 100) * elapsedMs();
    let [lastMs, longestWakeMs] = [spentMs(), 0];
    while (elapsedMs() < 8000) {
      await sleep(20);
      longestWakeMs = Math.max(longestWakeMs, spentMs() - lastMs);
      lastMs = spentMs();
    }
    expect(longestWakeMs).toBeGreaterThan(0);
    expect(lastMs).toBeLessThan(0.01 * elapsedMs() + firstCreditMs + longestWakeMs);
    expect(sampler.cost().budgetPercent).toBe(1);
  } finally {
    for (const sleeper of sleepers) sleeper.kill('SIGKILL');
  }
});
