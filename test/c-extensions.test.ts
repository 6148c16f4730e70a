/**
 * C extensions with their own memory: the mold makes their structures and prepares its heap, and workers read, copy and
 * free the structures.
 */
import { expect, test } from 'vitest';
import { APPS, serving, type Run } from './support/cowherd.ts';
import { hammer } from './support/http.ts';
import { memoryAfterNow } from './support/memory.ts';
import { BEST } from './support/this-python.ts';
import { until } from './support/until.ts';
import { readyPids } from './support/workers.ts';

const MAX_REQUESTS = 60;

/** Expects that every answer is right, and returns the pids that answered. */
async function ask(run: Run, each: number): Promise<Set<string>> {
  const pids = new Set<string>();
  for (const pathname of ['/read', '/change', '/free']) {
    const answers = await hammer(run.address, pathname, each, 3);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    for (const { text } of answers) pids.add(text);
  }
  return pids;
}

/** The part of the memory shared at the fork that a worker still shares after it has read everything, 0 to 1. */
async function keptByReading(run: Run): Promise<number> {
  const pid = (await readyPids(run))[0]!;
  await until('that one has read it', async () => (await run.get('/read')).text === String(pid));
  const { shared, unshared } = await memoryAfterNow(run, pid);
  return shared / (shared + unshared);
}

const extensions = [
  { name: 'numpy', kept: 0.95, reforks: true },
  { name: 'lxml', kept: 0.95, reforks: true },
  // An open server and channel of gRPC can't survive a fork.
  { name: 'grpc', kept: 0.8, reforks: false },
];

test.each(extensions)('$name: workers read, copy and free what the mold has made', async (extension) => {
  const { name, kept, reforks } = extension;
  const args = [`${name}_app:app`, '--chdir', APPS, '--workers', '2', '--max-requests', String(MAX_REQUESTS)];
  const run = await serving([...args, '--sampling-budget', '10']);
  expect((await run.status()).herd.policy).toBe(BEST);
  if (BEST === 'immortal') expect(await keptByReading(run)).toBeGreaterThan(kept);
  const pids = await ask(run, MAX_REQUESTS);
  await until('workers are recycled', async () => (await run.status()).herd.recycling.counts.requests >= 2);
  expect(pids.size).toBeGreaterThanOrEqual(2);
  if (reforks) {
    await run.command('refork', '--runtime-dir', run.runtimeDirectory);
    if (BEST === 'immortal') expect(await keptByReading(run)).toBeGreaterThan(kept);
    await ask(run, 20);
  }
  const { herd } = await run.status();
  await run.stop();
  expect(herd.requests).toBeGreaterThanOrEqual(3 * MAX_REQUESTS);
  // Each worker has left by itself, with status 0 and without a message.
  expect(run.log.filter(({ level }) => level === 'warning' || level === 'error')).toEqual([]);
  expect(run.messages.filter((message) => /died|was ended|exited with|Crash loop/.test(message))).toEqual([]);
});
