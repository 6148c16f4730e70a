/**
 * Extensions in C, with what they keep in memory of their own: their structures are made in the mold, its heap is prepared,
 * and workers read, copy and free them.
 */
import { expect, test } from 'vitest';
import { APPS, serving, type Run } from './support/cowherd.ts';
import { hammer } from './support/http.ts';
import { memoryAfterNow } from './support/memory.ts';
import { BEST } from './support/this-python.ts';
import { until } from './support/until.ts';
import { readyPids } from './support/workers.ts';

const MAX_REQUESTS = 60;

/** Every answer is right; gives the pids that answered. */
async function ask(run: Run, each: number): Promise<Set<string>> {
  const pids = new Set<string>();
  for (const pathname of ['/read', '/change', '/free']) {
    const answers = await hammer(run.address, pathname, each, 3);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    for (const { text } of answers) pids.add(text);
  }
  return pids;
}

/** How much a worker keeps of what it shared at its fork, after it has read all. */
async function keptByReading(run: Run): Promise<number> {
  const pid = (await readyPids(run))[0]!;
  await until('that one has read it', async () => (await run.get('/read')).text === String(pid));
  const { shared, unshared } = await memoryAfterNow(run, pid);
  return shared / (shared + unshared);
}

const extensions = [
  { name: 'numpy', kept: 0.95, reforks: true },
  { name: 'lxml', kept: 0.95, reforks: true },
  // What a server and a channel of gRPC have open can't go through a fork.
  { name: 'grpc', kept: 0.8, reforks: false },
];

test.each(extensions)('$name: what the mold has made is read, copied and freed by workers', async (extension) => {
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
  // Each worker has left by itself, with status 0 and nothing to say.
  expect(run.log.filter(({ level }) => level === 'warning' || level === 'error')).toEqual([]);
  expect(run.messages.filter((message) => /died|was ended|exited with|Crash loop/.test(message))).toEqual([]);
});
