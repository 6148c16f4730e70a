/** Any process may die or be stopped at any time: what the others do then, and that nothing is left at the end. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { catalogue } from '../src/base/error-catalogue.ts';
import type { ErrorCode } from '../src/base/errors.ts';
import {
  cowherd,
  HELLO,
  PYTHON,
  ROOT,
  serve,
  serving,
  temporaryFolder,
  type Run,
  type StartOptions,
} from './support/cowherd.ts';
import { ask } from '../src/supervisor/control/control.ts';
import { CONTROL_VERSION } from '../src/supervisor/control/control-messages.ts';
import { limitedCgroup, takeAway } from './support/memory-cgroup.ts';
import { isGone, kill, processInfo } from './support/processes.ts';
import { until } from './support/until.ts';

const SLOW = `
import os, time
def app(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        open("in-flight", "w").close()
        while not os.path.exists("go-on"):
            time.sleep(0.05)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
`;

const files = { 'hello.py': HELLO, 'slow.py': SLOW };

async function workerPids(run: Run): Promise<number[]> {
  return (await run.workers()).filter((worker) => worker.state === 'ready').map((worker) => worker.pid);
}

async function fullHerd(run: Run, count: number, without: readonly number[] = []): Promise<number[]> {
  return await until(`${count} workers are ready`, async () => {
    const pids = await workerPids(run);
    return pids.length === count && !pids.some((pid) => without.includes(pid)) ? pids : null;
  });
}

async function killSupervisor(run: Run): Promise<void> {
  run.signal('SIGKILL');
  expect(await run.ended).toEqual({ status: null, signal: 'SIGKILL' });
}

/** Starts another supervisor in the same folder and runtime directory. */
function again(run: Run, args: readonly string[], options: StartOptions = {}): Run {
  return serve(args, { cwd: run.folder, runtimeDirectory: run.runtimeDirectory, ...options });
}

/** Ends the herd of `first`, of which `second` has become the supervisor. */
async function stopBoth(first: Run, second: Run): Promise<void> {
  await second.stop();
  await first.expectNothingLeft();
}

async function expectError(run: Run, code: ErrorCode): Promise<void> {
  expect(await run.ended, run.stderr).toEqual({ status: catalogue[code].exitStatus, signal: null });
  expect(run.stderr).toContain(code);
}

describe('the supervisor is killed', () => {
  test('the next one adopts the herd: the same workers, all counters, a request in flight is answered', async () => {
    const args = ['slow:app', '--workers', '2', '--pid', 'herd.pid', '--bind', '127.0.0.1:0'];
    const first = await serving(args, { files });
    await first.command('scale', '3', '--runtime-dir', first.runtimeDirectory);
    const before = await fullHerd(first, 3);
    for (let request = 0; request < 10; request += 1) await first.get('/');
    const inFlight = first.get('/slow');
    await until('it is in flight', () => existsSync(path.join(first.folder, 'in-flight')));
    const { herd } = await first.status();
    await killSupervisor(first);

    expect((await first.get('/')).status).toBe(200);
    const status = cowherd(['status', '--runtime-dir', first.runtimeDirectory]);
    await expectError(status, 'SUPERVISOR_GONE');
    const name = `slow:app of ${realpathSync(first.folder)} (${first.runtimeDirectory}) at ${first.address}`;
    expect(status.stderr).toContain(`${name}, with 3 worker(s) of keeper ${herd.keeper.pid}`);

    const second = again(first, args);
    await second.waitUntilServing();
    expect(second.messages).toContain(`Adopted the herd of supervisor ${first.pid}: 3 workers, 1 molds`);
    expect(second.messages.some((message) => message.includes('cowherd reload'))).toBe(false);
    expect(second.address).toBe(first.address);
    const after = await second.status();
    expect(after.herd.supervisor.pid).toBe(second.pid);
    expect(after.herd.keeper.pid).toBe(herd.keeper.pid);
    expect((await workerPids(second)).toSorted()).toEqual(before.toSorted());
    expect(after.herd.requests).toBe(11);
    expect(after.herd.in_flight).toBe(1);
    expect(Number(readFileSync(path.join(first.folder, 'herd.pid'), 'utf8'))).toBe(second.pid);
    writeFileSync(path.join(first.folder, 'go-on'), '');
    expect((await inFlight).status).toBe(200);
    // It manages the herd: a dead worker is replaced.
    process.kill(before[0]!, 'SIGKILL');
    await fullHerd(second, 3, [before[0]!]);
    // A third supervisor is refused, even while this one is stopped.
    second.signal('SIGSTOP');
    await expectError(again(first, args), 'RUNTIME_DIRECTORY_BUSY');
    second.signal('SIGCONT');
    await stopBoth(first, second);
    expect(existsSync(path.join(first.folder, 'herd.pid'))).toBe(false);
  });

  test('in the moment after it has accepted orders: they are not forgotten, and who was told to leave is no failure', async () => {
    const first = await serving(['hello:app', '--workers', '2'], { files });
    await fullHerd(first, 2);
    // One after the other, without the time that a command takes to start.
    for (const workers of [3, 4, 1]) {
      const order = { type: 'scale', version: CONTROL_VERSION, workers } as const;
      expect(await ask(first.runtimeDirectory, order)).toMatchObject({ type: 'answered', accepted: true });
    }
    await killSupervisor(first);
    const second = again(first, ['hello:app', '--workers', '2']);
    await second.waitForText(/Adopted the herd/);
    await fullHerd(second, 1);
    expect((await second.status()).herd.workers_wanted).toBe(1);
    expect(second.messages.filter((message) => /exited and is replaced|died/.test(message))).toEqual([]);
    await stopBoth(first, second);
  });

  test('and then a worker and the mold: they are reported and replaced, and their requests count', async () => {
    const first = await serving(['hello:app', '--workers', '2'], { files });
    for (let request = 0; request < 6; request += 1) await first.get('/');
    const { molds } = await first.status();
    const [dead = 0, alive = 0] = await workerPids(first);
    await killSupervisor(first);
    kill([dead, molds[0]!.pid!]);
    await until('they are gone', () => isGone(dead) && isGone(molds[0]!.pid!));
    const second = again(first, ['hello:app', '--workers', '2']);
    await second.waitForText(/Adopted the herd/);
    const pids = await fullHerd(second, 2, [dead]);
    expect(pids).toContain(alive);
    expect(second.stderr).toMatch(/Worker \d+ \(slot \d\) was ended by SIGKILL.* while there was no supervisor/);
    expect(second.stderr).toMatch(/The mold of generation 1 \(pid \d+\) was ended by SIGKILL/);
    expect((await second.status()).herd).toMatchObject({ generation: 2, requests: 6 });
    await stopBoth(first, second);
  });

  test('during a reload: the next one completes it; its changed arguments apply from the next reload on', async () => {
    const config = `
import os, time
def on_reload(server):
    while not os.path.exists("go-on"):
        time.sleep(0.05)
`;
    const args = ['hello:app', '--workers', '2', '-c', 'gunicorn.conf.py', '--bind', '127.0.0.1:0'];
    const first = await serving(args, { files: { ...files, 'gunicorn.conf.py': config } });
    const before = await workerPids(first);
    first.signal('SIGHUP');
    await until('the new mold is there', async () => (await first.status()).molds.length === 2);
    await until('that is written', () =>
      readFileSync(path.join(first.runtimeDirectory, 'herd.json'), 'utf8').includes('"kind":"reload"'),
    );
    await killSupervisor(first);
    const second = again(first, [...args, '--workers', '3']);
    await second.waitForText(/Adopted the herd of supervisor \d+: 2 workers, 2 molds/);
    await second.waitForText(/`cowherd reload` applies those of this command/);
    expect(await workerPids(second)).toEqual(before);
    writeFileSync(path.join(first.folder, 'go-on'), '');
    await second.waitForText(/Reload done in .*: generation 2 serves/);
    await fullHerd(second, 2, before);
    await second.command('reload', '--runtime-dir', first.runtimeDirectory);
    await fullHerd(second, 3, before);
    await stopBoth(first, second);
  });

  test('`cowherd stop` ends the herd, with its requests in flight answered', async () => {
    const run = await serving(['slow:app', '--workers', '2', '--pid', 'herd.pid'], { files });
    const inFlight = run.get('/slow');
    await until('it is in flight', () => existsSync(path.join(run.folder, 'in-flight')));
    await killSupervisor(run);
    const stop = cowherd(['stop', '--runtime-dir', run.runtimeDirectory]);
    await until('one has left', () => run.processes.filter(({ name }) => name === 'cowherd-worker').length === 1);
    expect(stop.ending).toBeNull();
    writeFileSync(path.join(run.folder, 'go-on'), '');
    expect((await inFlight).status).toBe(200);
    expect(await stop.ended, stop.stderr).toEqual({ status: 0, signal: null });
    await run.expectNothingLeft();
    expect(existsSync(path.join(run.folder, 'herd.pid'))).toBe(false);
  });

  test('and then the mold and every worker: the keeper cleans everything up', async () => {
    const run = await serving(['hello:app', '--workers', '2', '--bind', 'unix:web.sock'], { files });
    const { molds } = await run.status();
    const pids = [...(await workerPids(run)), molds[0]!.pid!];
    await killSupervisor(run);
    kill(pids);
    await until('the keeper has left', () => run.processes.length === 0);
    await run.expectNothingLeft();
  });

  test('while the first mold loads: the next one continues from there', async () => {
    const app = `
import os, time
while not os.path.exists("go-on"):
    time.sleep(0.05)
${HELLO}`;
    const first = serve(['late:app'], { files: { 'late.py': app } });
    await first.waitForText(/Listening at/);
    await killSupervisor(first);
    const second = again(first, ['late:app']);
    await second.waitForText(/Adopted the herd of supervisor \d+: 0 workers, 1 molds/);
    writeFileSync(path.join(first.folder, 'go-on'), '');
    await second.waitUntilServing();
    expect((await second.get('/')).status).toBe(200);
    await stopBoth(first, second);
  });
});

test('the keeper is killed: the herd starts again, and keeps its counters', async () => {
  const run = await serving(['hello:app', '--workers', '2', '--bind', 'unix:web.sock'], { files });
  for (let request = 0; request < 5; request += 1) await run.get('/');
  const before = await run.status();
  process.kill(before.herd.keeper.pid!, 'SIGKILL');
  await run.waitForText(
    /The keeper \(pid \d+\) was ended by SIGKILL.*2 worker\(s\) finish.*then the herd starts again/,
  );
  const pids = before.workers.map((worker) => worker.pid);
  await fullHerd(run, 2, pids);
  expect((await run.get('/')).status).toBe(200);
  const after = await run.status();
  expect(after.herd.requests).toBe(6);
  expect(after.herd.keeper.pid).not.toBe(before.herd.keeper.pid);
  await run.stop();
});

test('the keeper is killed while the sockets are from outside: connections wait, none is refused', async () => {
  const activate = path.join(ROOT, 'test', 'support', 'activate.py');
  const run = await serving(['hello:app', '--workers', '2'], { files, prefix: [PYTHON, activate, 'tcp', '--'] });
  const { herd } = await run.status();
  process.kill(herd.keeper.pid!, 'SIGKILL');
  await run.waitForText(/then the herd starts again/);
  expect((await run.get('/')).status).toBe(200);
  expect((await run.status()).herd.keeper.pid).not.toBe(herd.keeper.pid);
  run.signal('SIGTERM');
  expect(await run.ended, run.stderr).toEqual({ status: 0, signal: null });
  expect(run.processes).toEqual([]);
  expect(existsSync(run.runtimeDirectory)).toBe(false);
});

test('all molds are killed during a reload: the workers keep serving, and a new mold is made', async () => {
  const app = `
import os, time
while os.path.exists("wait"):
    time.sleep(0.05)
${HELLO}`;
  const run = await serving(['late:app', '--workers', '2'], { files: { 'late.py': app } });
  const before = await workerPids(run);
  writeFileSync(path.join(run.folder, 'wait'), '');
  run.signal('SIGHUP');
  const molds = await until('there are two', async () => {
    const pids = (await run.status()).molds.map((mold) => mold.pid);
    return pids.length === 2 && !pids.includes(null) ? pids : null;
  });
  kill(molds.map((pid) => pid!));
  await run.waitForText(/Reload to generation 2 failed: /);
  rmSync(path.join(run.folder, 'wait'));
  expect((await run.get('/')).status).toBe(200);
  await until('there is a mold', async () => {
    const [mold, ...others] = (await run.status()).molds;
    return others.length === 0 && mold?.phase === 'ready' && !molds.includes(mold.pid);
  });
  expect(await workerPids(run)).toEqual(before);
  process.kill(before[0]!, 'SIGKILL');
  await fullHerd(run, 2, [before[0]!]);
  await run.stop();
});

describe('stopped (SIGSTOP)', () => {
  test('the supervisor, the keeper, the mold: requests are answered, and everything continues afterwards', async () => {
    const run = await serving(['hello:app', '--workers', '2'], { files });
    const { herd, molds } = await run.status();
    for (const pid of [run.pid, herd.keeper.pid!, molds[0]!.pid!]) {
      const [victim = 0] = await fullHerd(run, 2);
      process.kill(pid, 'SIGSTOP');
      await until('it stands still', () => processInfo(pid)?.state === 'T');
      for (let request = 0; request < 5; request += 1) expect((await run.get('/')).status).toBe(200);
      process.kill(victim, 'SIGKILL');
      await until('the other one serves', async () => (await run.get('/').catch(() => null))?.status === 200);
      process.kill(pid, 'SIGCONT');
      await fullHerd(run, 2, [victim]);
    }
    await run.stop();
  });

  test('the keeper: the status names it, and a worker that nobody replaces is not called ready', async () => {
    const run = await serving(['hello:app', '--workers', '2'], { files });
    const keeper = (await run.status()).herd.keeper.pid!;
    const [victim = 0] = await fullHerd(run, 2);
    process.kill(keeper, 'SIGSTOP');
    process.kill(victim, 'SIGKILL');
    await run.waitForText(new RegExp(`The keeper \\(pid ${keeper}\\) has not answered for 5 s`));
    const { herd, workers } = await run.status();
    expect(herd).toMatchObject({ workers_ready: 1, not_ready_because: null });
    expect(herd.keeper.silent_seconds).toBeGreaterThanOrEqual(5);
    expect(workers.find(({ pid }) => pid === victim)?.state).toBe('ended');
    process.kill(keeper, 'SIGCONT');
    await run.waitForText(/answers again/);
    await fullHerd(run, 2, [victim]);
    await run.stop();
  });

  test('a worker: it is replaced after the timeout', async () => {
    const run = await serving(['hello:app', '--workers', '2', '--timeout', '2'], { files });
    const [victim = 0] = await workerPids(run);
    process.kill(victim, 'SIGSTOP');
    await run.waitForText(new RegExp(`WORKER TIMEOUT \\(pid:${victim}\\)`));
    await fullHerd(run, 2, [victim]);
    expect(isGone(victim)).toBe(true);
    await run.stop();
  });
});

const GREEDY = `
import os
def app(environ, start_response):
    if environ["PATH_INFO"] == "/grow":
        grown = bytearray(400 * 1024 * 1024)
        for page in range(0, len(grown), 4096):
            grown[page] = 1
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
`;

describe('out of memory', () => {
  test('by the limit of its cgroup: the worker is killed by the kernel, and replaced', async (context) => {
    const cgroup = limitedCgroup(200 * 1024 * 1024);
    if (cgroup === null) {
      context.skip('needs a memory cgroup that the tests may write to');
      return;
    }
    onTestFinished(() => void takeAway(cgroup.folder));
    const config = `
def post_fork(server, worker):
    if worker.age == 1:
        open("${cgroup.folder}/cgroup.procs", "w").write(str(worker.pid))
`;
    const run = await serving(['greedy:app', '-c', 'gunicorn.conf.py'], {
      files: { 'greedy.py': GREEDY, 'gunicorn.conf.py': config },
    });
    const [victim = 0] = await workerPids(run);
    await run.get('/grow').catch(() => null);
    await run.waitForText(/Worker \d+ \(slot 0\) was .*SIGKILL.*, with 1 request\(s\) in flight/);
    await fullHerd(run, 1, [victim]);
    expect((await run.get('/')).status).toBe(200);
    await run.stop();
  });

  test('by its own limit (RLIMIT_AS): the request fails, and the worker keeps serving', async () => {
    const config = `
import resource
def post_fork(server, worker):
    with open("/proc/self/statm") as file:
        size = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + 100 * 1024 * 1024,) * 2)
`;
    const run = await serving(['greedy:app', '-c', 'gunicorn.conf.py'], {
      files: { 'greedy.py': GREEDY, 'gunicorn.conf.py': config },
    });
    const before = await workerPids(run);
    // On CPython 3.14 the head of gunicorn's error page ends with a bare line feed (its write_error, textwrap.dedent).
    expect((await run.get('/grow', { lenient: true })).status).toBe(500);
    expect((await run.get('/')).status).toBe(200);
    expect(await workerPids(run)).toEqual(before);
    await run.stop();
  });
});

test('a full disk under the runtime directory stops nothing: workers are replaced, the herd is adopted', async (context) => {
  const disk = temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'cowherd-test', disk], { stdio: 'pipe' });
  } catch {
    context.skip('needs to mount a tmpfs');
    return;
  }
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', disk]);
    rmdirSync(disk);
  });
  const runtimeDirectory = path.join(disk, 'run');
  const first = await serving(['hello:app', '--workers', '2'], { files, runtimeDirectory });
  for (let request = 0; request < 4; request += 1) await first.get('/');
  expect(() => writeFileSync(path.join(disk, 'fill'), Buffer.alloc(8 * 1024 * 1024))).toThrow(/ENOSPC/);
  first.signal('SIGTTIN');
  const [victim = 0] = await fullHerd(first, 3);
  await first.waitForText(/herd\.json can't be written/);
  process.kill(victim, 'SIGKILL');
  await fullHerd(first, 3, [victim]);
  expect((await first.get('/')).status).toBe(200);
  const requests = (await first.workers()).reduce((total, worker) => total + worker.requests, 0);
  await killSupervisor(first);
  const second = again(first, ['hello:app', '--workers', '2']);
  await second.waitUntilServing();
  expect((await second.status()).herd.requests).toBeGreaterThanOrEqual(requests);
  expect((await second.get('/')).status).toBe(200);
  await stopBoth(first, second);
  // The same with a full disk from the start: only the file for the next supervisor is not written.
  expect(() => writeFileSync(path.join(disk, 'more'), Buffer.alloc(8 * 1024 * 1024))).toThrow(/ENOSPC/);
  const third = await serving(['hello:app'], { files, runtimeDirectory });
  expect((await third.get('/')).status).toBe(200);
  await third.waitForText(/herd\.json can't be written/);
  await third.stop();
  expect(existsSync(runtimeDirectory)).toBe(false);
});

test('the terminal is closed: the herd keeps serving, reloads, and ends as usual', async () => {
  // The shell leads the session and gets the hangup. It writes the exit status of the supervisor to a file.
  const prefix = ['sh', '-c', 'trap : HUP; "$@"; echo $? > status', 'sh'];
  const run = await serving(['hello:app', '--workers', '2', '--bind', '127.0.0.1:0'], {
    files,
    prefix,
    terminal: true,
    env: { TERM: 'xterm' },
  });
  const { pid } = (await run.status()).herd.supervisor;
  run.signal('SIGKILL');
  await run.ended;
  process.kill(pid, 'SIGHUP');
  await until('it has reloaded', async () => (await run.status()).herd.generation === 2);
  expect((await run.get('/')).status).toBe(200);
  await run.command('stop', '--runtime-dir', run.runtimeDirectory);
  const status = path.join(run.folder, 'status');
  await until('it has ended', () => existsSync(status) && readFileSync(status, 'utf8') !== '');
  expect(readFileSync(status, 'utf8')).toBe('0\n');
  await run.expectNothingLeft();
});
