import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { waitForOrphans } from './orphans.ts';

/** A process that leaves when its `sh` script says so. */
async function start(script: string): Promise<ChildProcess & { pid: number }> {
  const child = spawn('sh', ['-c', `${script}; echo ready; while :; do sleep 0.02; done`]);
  await once(child.stdout, 'data');
  return child as ChildProcess & { pid: number };
}

test('asks every process to leave and returns when all have', async () => {
  const children = [await start('trap "exit 0" TERM'), await start('trap "sleep 0.2; exit 0" TERM')];
  const ended = children.map(async (child) => (await once(child, 'exit')) as [number | null, string | null]);
  await waitForOrphans(
    children.map((child) => child.pid),
    10,
  );
  expect(await Promise.all(ended)).toEqual([
    [0, null],
    [0, null],
  ]);
});

test('kills a process that does not leave within the grace period', async () => {
  const child = await start('trap "" TERM');
  const ended = once(child, 'exit');
  const from = performance.now();
  await waitForOrphans([child.pid], 0.3);
  expect(performance.now() - from).toBeGreaterThan(250);
  expect(await ended).toEqual([null, 'SIGKILL']);
});

test('does not wait for a process that is gone, nor for an empty list', async () => {
  const child = await start('trap "exit 0" TERM');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await waitForOrphans([child.pid], 10);
  await waitForOrphans([], 10);
  expect(child.signalCode).toBe('SIGKILL');
});
