/** Threads that an application starts when it is loaded: they keep running in exactly one mold over all generations. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { cowherd, serving, type Run } from './support/cowherd.ts';
import { until } from './support/until.ts';

const HELLO = `
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"well"]
`;

/** A job that runs every tenth of a second and notes the pid of its process. */
const SCHEDULED = `
import os
from apscheduler.schedulers.background import BackgroundScheduler

def job():
    with open("jobs", "a") as file:
        file.write(f"{os.getpid()}\\n")

scheduler = BackgroundScheduler()
scheduler.add_job(job, "interval", seconds=0.1, max_instances=10)
scheduler.start()
${HELLO}`;

/** A thread of the application. Cowherd can't know whether workers need it. */
const REFRESHING = `
import os, threading

def refresh():
    while not threading.Event().wait(0.05):
        with open("jobs", "a") as file:
            file.write(f"{os.getpid()}\\n")

threading.Thread(target=refresh, name="refresher", daemon=True).start()
${HELLO}`;

function jobs(run: Run): number[] {
  return readFileSync(path.join(run.folder, 'jobs'), 'utf8').split('\n').filter(Boolean).map(Number);
}

/** The processes that run jobs from now on. */
async function whoRunsJobs(run: Run): Promise<Set<number>> {
  const before = jobs(run).length;
  await until('twenty jobs', () => jobs(run).length >= before + 20, 60_000);
  return new Set(jobs(run).slice(before));
}

async function moldOf(run: Run, generation: number): Promise<number> {
  const { molds } = await run.status();
  return molds.find((mold) => mold.generation === generation)?.pid ?? 0;
}

const order = async (run: Run, what: string): Promise<Run> => {
  const command = cowherd([what, '--runtime-dir', run.runtimeDirectory]);
  await command.ended;
  return command;
};

describe("a scheduler's jobs", () => {
  test('are run by one mold at a time, over a reload, a reload that fails, and a refork', async () => {
    const run = await serving(['jobs:app', '--workers', '2'], { files: { 'jobs.py': SCHEDULED } });
    expect(run.log.filter(({ level }) => level === 'warning')).toEqual([]);
    const first = await moldOf(run, 1);
    expect(await whoRunsJobs(run)).toEqual(new Set([first]));

    expect((await order(run, 'reload')).ending?.status).toBe(0);
    const second = await moldOf(run, 2);
    expect(await whoRunsJobs(run)).toEqual(new Set([second]));
    // The first mold ran its last job before the second ran its first one.
    const all = jobs(run);
    expect(all.lastIndexOf(first)).toBeLessThan(all.indexOf(second));
    expect((await order(run, 'rollback')).ending?.status).toBe(36);

    writeFileSync(path.join(run.folder, 'jobs.py'), 'raise RuntimeError("not today")\n');
    expect((await order(run, 'reload')).ending?.status).toBe(37);
    expect(await whoRunsJobs(run)).toEqual(new Set([second]));

    expect((await order(run, 'refork')).ending?.status).toBe(0);
    expect((await run.status()).herd.generation).toBe(4);
    expect(await whoRunsJobs(run)).toEqual(new Set([second]));
    expect(run.messages).toContainEqual('The mold of generation 2 stays: it runs 1 thread of the application');

    writeFileSync(path.join(run.folder, 'jobs.py'), SCHEDULED);
    expect((await order(run, 'reload')).ending?.status).toBe(0);
    expect(await whoRunsJobs(run)).toEqual(new Set([await moldOf(run, 5)]));
    await until('the molds before have left', async () => (await run.status()).molds.length === 1);
    await run.stop();
  });

  test('are reported lost, with the remedy, when the mold that has run them dies after a refork', async () => {
    const run = await serving(['jobs:app'], { files: { 'jobs.py': SCHEDULED } });
    expect((await order(run, 'refork')).ending?.status).toBe(0);
    process.kill(await moldOf(run, 1), 'SIGKILL');
    await run.waitForText(/The mold of generation 1 .* threads in it are lost. `cowherd reload` starts them again/);
    expect((await order(run, 'reload')).ending?.status).toBe(0);
    expect(await whoRunsJobs(run)).toEqual(new Set([await moldOf(run, 3)]));
    await run.stop();
  });
});

test('a thread of unknown purpose keeps running in one mold; a warning says what workers lack', async () => {
  const run = await serving(['jobs:app', '--workers', '2'], { files: { 'jobs.py': REFRESHING } });
  const warnings = run.log.filter(({ level }) => level === 'warning').map(({ msg }) => msg);
  expect(warnings).toEqual([
    expect.stringMatching(
      /^Fork safety: thread 'refresher' of jobs, started at .*jobs\.py:\d+, runs in the mold, and in/,
    ),
  ]);
  const { molds } = await run.status();
  const safety = molds[0]?.report['fork_safety'] as { threads: unknown[] } | undefined;
  expect(safety?.threads).toEqual([expect.objectContaining({ name: 'refresher', module: 'jobs', fate: 'missing' })]);
  expect((await order(run, 'reload')).ending?.status).toBe(0);
  await until('the first mold has left', async () => (await run.status()).molds.length === 1);
  expect(await whoRunsJobs(run)).toEqual(new Set([await moldOf(run, 2)]));
  expect((await order(run, 'refork')).ending?.status).toBe(0);
  expect(await whoRunsJobs(run)).toEqual(new Set([await moldOf(run, 2)]));
  rmSync(path.join(run.folder, 'jobs'));
  await run.stop();
});

test('a thread that its library restarts in each child is no finding, and each worker has it', async () => {
  const app = `
import os, threading

def export():
    threading.Event().wait()

def start():
    threading.Thread(target=export, name="exporter", daemon=True).start()

start()
os.register_at_fork(after_in_child=start)

def app(environ, start_response):
    start_response("200 OK", [])
    return [" ".join(thread.name for thread in threading.enumerate()).encode()]
`;
  const run = await serving(['traced:app', '--workers', '2'], { files: { 'traced.py': app } });
  expect(run.log.filter(({ level }) => level === 'warning')).toEqual([]);
  expect((await run.get('/')).text).toBe('MainThread exporter');
  expect((await order(run, 'refork')).ending?.status).toBe(0);
  expect((await run.get('/')).text).toBe('MainThread exporter');
  // The thread is in every process, so no mold is kept for it, and a rollback is still possible.
  await until('the mold of before has left', async () => (await run.status()).molds.length === 1);
  expect((await order(run, 'reload')).ending?.status).toBe(0);
  expect((await order(run, 'rollback')).ending?.status).toBe(0);
  expect((await run.get('/')).text).toBe('MainThread exporter');
  await run.stop();
});
