/** Cowherd in a container: as process 1, which has to reap orphans, and as root with workers of another user. */
import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { COWHERD, HELLO, serve, serving, type Run } from './support/cowherd.ts';
import { fetchFrom } from './support/http.ts';
import { needs, ROOT_NEEDED } from './support/needs.ts';
import { processInfo } from './support/processes.ts';
import { until } from './support/until.ts';

const files = { 'hello.py': HELLO };

/** The children of a process, and which of them are zombies. */
function childrenOf(pid: number): { pid: number; isZombie: boolean }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const info = processInfo(Number(name));
      return info?.ppid === pid ? [{ pid: info.pid, isZombie: info.state === 'Z' }] : [];
    });
}

describe('process 1 of a container', needs(ROOT_NEEDED), () => {
  // Drops Node from the command line, so that Cowherd is started like the entry point of an image.
  const prefix = ['unshare', '--pid', '--fork', '--mount-proc', 'sh', '-c', 'shift; exec "$@"', 'sh'];

  /** The pid of the container's process 1, seen from outside. */
  async function processOne(run: Run): Promise<number> {
    return await until('there is a process 1', () => childrenOf(run.pid)[0]?.pid);
  }

  test('ends properly by SIGTERM, which the kernel ignores for process 1 unless it is handled', async () => {
    const run = await serving(['hello:app', '--workers', '2'], { files, prefix });
    const one = await processOne(run);
    expect(readFileSync(`/proc/${one}/status`, 'utf8')).toMatch(/^NSpid:\t\d+\t1$/m);
    expect((await run.get('/')).status).toBe(200);
    process.kill(one, 'SIGHUP');
    await run.waitForText(/Reload done/);
    process.kill(one, 'SIGTERM');
    expect(await run.ended, run.stderr).toEqual({ status: 0, signal: null });
    // They were not killed by the end of the namespace.
    expect(run.messages.filter((message) => message.includes('Worker exiting')).length).toBe(4);
    await run.expectNothingLeft();
  });

  test('reaps orphans: of a command run in the container, and of a keeper that is killed', async () => {
    const run = await serving(['hello:app', '--workers', '2'], { files, prefix });
    const one = await processOne(run);
    // Like `docker exec`. The sleep loses its parent, ends, and would stay a zombie.
    const orphan = spawnSync('nsenter', ['-t', `${one}`, '--pid', 'sh', '-c', 'sleep 0.3 & echo started'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    expect(orphan.stdout).toBe('started\n');
    await until('only Cowherd is left, and no zombie', () => {
      const children = childrenOf(one);
      return children.length === 1 && !children[0]!.isZombie;
    });
    const workers = (await run.workers()).length;
    expect(workers).toBe(2);
    const keeper = run.processes.find((info) => info.name === 'cowherd-keeper');
    process.kill(keeper!.pid, 'SIGKILL');
    await until('no zombie is left', () => run.ending !== null || childrenOf(one).every((child) => !child.isZombie));
    if (run.ending === null) process.kill(one, 'SIGTERM');
    await run.ended;
    expect(run.processes).toEqual([]);
  });

  test('ends with the status of what went wrong', async () => {
    const run = serve(['nothing:app'], { prefix });
    expect(await run.ended, run.stderr).toEqual({ status: 4, signal: null });
    await run.expectNothingLeft();
  });
});

test('a symbolic link to the command starts it, as npm makes them', () => {
  const { stdout, status } = spawnSync(
    'sh',
    ['-c', 'ln -s "$0" "$1/linked" && "$1/linked" --version; rm "$1/linked"', COWHERD, '/tmp'],
    {
      encoding: 'utf8',
    },
  );
  expect(status).toBe(0);
  expect(stdout).toMatch(/^cowherd \d/);
});

describe('as root with --user and --group', needs(ROOT_NEEDED), () => {
  const NOBODY = 65_534;
  const APP = `
import os
# The interpreter of the tests may be in a folder that only root can read: nothing may be imported later.
import encodings.idna
def app(environ, start_response):
    start_response("200 OK", [])
    return [f"{os.getuid()} {os.getgid()} {os.getppid()}".encode()]
`;

  test.each(['sync', 'gthread'])(
    'workers serve as that user (%s), through a reload and a refork',
    async (workerClass) => {
      const run = serve(
        [
          'app:app',
          '-k',
          workerClass,
          '--workers',
          '2',
          '--user',
          'nobody',
          '--group',
          'nogroup',
          '--bind',
          'unix:web.sock',
        ],
        { files: { 'app.py': APP } },
      );
      chmodSync(run.folder, 0o755);
      await run.waitUntilServing();
      const socket = path.join(run.folder, 'web.sock');
      const answer = async (): Promise<string> => (await fetchFrom(`unix:${socket}`, '/')).text;
      const keeper = (await run.status()).herd.keeper.pid;
      expect(await answer()).toBe(`${NOBODY} ${NOBODY} ${keeper}`);
      const { uid, gid } = statSync(socket);
      expect([uid, gid]).toEqual([NOBODY, NOBODY]);
      // Only the owner of the herd may open these.
      expect(statSync(run.runtimeDirectory).mode & 0o777).toBe(0o700);
      expect(statSync(path.join(run.runtimeDirectory, 'control.sock')).mode & 0o777).toBe(0o600);

      // Workers of another user can write the scoreboard, and their memory can be measured.
      const before = await until('workers are counted and measured', async () => {
        const workers = await run.workers();
        const isKnown = workers.length === 2 && workers.every((worker) => worker.memory !== null);
        return isKnown && workers.some((worker) => worker.requests > 0) ? workers.map((worker) => worker.pid) : null;
      });
      await run.command('reload', '--runtime-dir', run.runtimeDirectory);
      await until('the old ones are gone', () => before.every((pid) => processInfo(pid) === null));
      expect(await answer()).toBe(`${NOBODY} ${NOBODY} ${keeper}`);

      await run.command('refork', '--runtime-dir', run.runtimeDirectory);
      expect(await answer()).toBe(`${NOBODY} ${NOBODY} ${keeper}`);
      await run.stop();
    },
  );
});
