/** gunicorn's dirty arbiter: its own code and its own client, in a herd. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { catalogue } from '../src/base/error-catalogue.ts';
import { PYTHON, serve, serving, temporaryFolder, type Run } from './support/cowherd.ts';
import { installedGunicorn } from './support/gunicorn-release.ts';
import { isGone, kill } from './support/processes.ts';
import { needs, ROOT_NEEDED, where } from './support/needs.ts';
import { until } from './support/until.ts';

const HAS_IT = where(spawnSync(PYTHON, ['-c', 'import gunicorn.dirty']).status === 0, 'needs gunicorn 25 or newer');

const MODEL = `
import os, time
from gunicorn.dirty import DirtyApp
VERSION = "one"
class Model(DirtyApp):
    def init(self):
        self.calls = 0
    def where(self):
        self.calls += 1
        return {"pid": os.getpid(), "arbiter": os.getppid(), "calls": self.calls, "version": VERSION, "uid": os.getuid()}
    def sleep(self):
        open("asleep", "w").close()
        time.sleep(1000)
    def close(self):
        open("closed", "a").write("closed ")
`;
const APP = `
import json
from gunicorn.dirty import get_dirty_client, stash
def app(environ, start_response):
    action = environ["PATH_INFO"][1:] or "where"
    try:
        answer = get_dirty_client(timeout=5).execute("model:Model", action)
        start_response("200 OK", [])
    except Exception as error:
        answer = repr(error)
        start_response("503 No", [])
    return [json.dumps(answer).encode()]
`;
const ASYNC_APP = `
import json
from gunicorn.dirty import get_dirty_client_async
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    client = await get_dirty_client_async()
    answer = await client.execute_async("model:Model", "where")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})
`;
const files = { 'model.py': MODEL, 'site_app.py': APP, 'async_app.py': ASYNC_APP };
const ARGS = ['site_app:app', '--workers', '2', '--dirty-app', 'model:Model', '--dirty-workers', '1'];
/** So that all that it makes is in the run's own folder, where leftovers are looked for. */
const env = { TMPDIR: '.' };

interface Where {
  pid: number;
  arbiter: number;
  calls: number;
  version: string;
  uid: number;
}

/** The answer of a dirty worker; null without one. */
async function asked(run: Run): Promise<Where | null> {
  const answer = await run.get('/').catch(() => null);
  if (answer === null) return null;
  return answer.status === 200 ? (JSON.parse(answer.text) as Where) : null;
}

async function answered(run: Run): Promise<Where> {
  return await until('a dirty worker answers', async () => await asked(run));
}

async function order(run: Run, ...words: string[]): Promise<void> {
  await run.command(...words, '--runtime-dir', run.runtimeDirectory);
}

function guardianOf(run: Run, { arbiter }: Where): number {
  return run.processes.find(({ pid }) => pid === arbiter)?.ppid ?? 0;
}

test.each(['25.3.0', '26.2.0'])('dirty workers of gunicorn %s answer', async (release) => {
  const run = await serving(ARGS, { files, env: { ...env, PYTHONPATH: installedGunicorn(release) } });
  const first = await answered(run);
  expect(await answered(run)).toEqual({ ...first, calls: 2 });
  await run.stop();
});

describe('dirty workers', needs(HAS_IT), () => {
  test.each([
    ['sync', 'site_app:app'],
    ['gthread', 'site_app:app'],
    ['asgi', 'async_app:app'],
  ])('answer workers of the class %s', async (workerClass, app) => {
    const run = await serving([app, ...ARGS.slice(1), '--worker-class', workerClass], { files, env });
    const first = await answered(run);
    expect(await answered(run)).toEqual({ ...first, calls: 2 });
    expect(run.messages.join('\n')).not.toMatch(/does not start|[Ff]ork safety/);
    const { molds } = await run.status();
    expect(molds[0]?.report['dirty_arbiter']).toMatchObject({ pid: guardianOf(run, first) });
    await run.stop();
    expect(readFileSync(path.join(run.folder, 'closed'), 'utf8')).toBe('closed ');
  });

  test('are there again when one is killed, and when their arbiter is: workers find it at the same place', async () => {
    const run = await serving(ARGS, { files, env });
    const first = await answered(run);
    kill([first.pid]);
    const second = await until('another one', async () => {
      const found = await asked(run);
      return found !== null && found.pid !== first.pid ? found : null;
    });
    expect(second.arbiter).toBe(first.arbiter);
    kill([second.arbiter]);
    const third = await until('of another arbiter', async () => {
      const found = await asked(run);
      return found !== null && found.arbiter !== first.arbiter ? found : null;
    });
    // gunicorn's own worker does not notice that its arbiter has gone.
    expect(isGone(second.pid)).toBe(true);
    expect(guardianOf(run, third)).not.toBe(0);
    await run.stop();
  });

  test('are shown, added and removed by gunicornc', async () => {
    const run = await serving(ARGS, { files, env });
    const first = await answered(run);
    const ask = (command: string): unknown => {
      const words = ['--socket', path.join(run.folder, 'gunicorn.ctl'), '--json', '--command', command];
      const said = spawnSync(path.join(path.dirname(PYTHON), 'gunicornc'), words, { encoding: 'utf8' });
      expect(said, command).toMatchObject({ status: 0, stderr: '' });
      return JSON.parse(said.stdout);
    };
    const dirty_arbiter = { pid: first.arbiter, type: 'dirty_arbiter', role: 'dirty master' };
    const dirty_workers = [{ pid: first.pid, apps: ['model:Model'] }];
    expect(ask('show all')).toMatchObject({ dirty_arbiter, dirty_workers, dirty_worker_count: 1 });
    const apps = [{ import_path: 'model:Model', worker_count: null, current_workers: 1, worker_pids: [first.pid] }];
    expect(ask('show dirty')).toMatchObject({ enabled: true, pid: first.arbiter, workers: dirty_workers, apps });
    expect(ask('show stats')).toMatchObject({ dirty_arbiter_pid: first.arbiter });
    expect(ask('dirty add')).toMatchObject({ success: true, operation: 'add', spawned: 1, total_workers: 2 });
    expect(ask('dirty remove')).toMatchObject({ success: true, operation: 'remove', removed: 1 });
    await run.stop();
  });

  test('are new ones after a reload, with new code; the old ones leave', async () => {
    const run = await serving(ARGS, { files, env });
    const first = await answered(run);
    // Of another length: Python takes compiled code for that of a source of the same second and the same length.
    writeFileSync(path.join(run.folder, 'model.py'), `${MODEL.replace('"one"', '"two"')}# Changed.\n`);
    await order(run, 'reload');
    expect(await answered(run)).toMatchObject({ version: 'two', calls: 1 });
    // The mold that is kept for a rollback keeps its own.
    expect(isGone(first.pid)).toBe(false);
    await order(run, 'rollback');
    const again = await until('the first ones', async () => {
      const found = await asked(run);
      return found?.version === 'one' ? found : null;
    });
    expect(again.pid).toBe(first.pid);
    await run.stop();
  });

  test('stay through a refork, and through the death of the supervisor and of the mold', async () => {
    const run = await serving(ARGS, { files, env });
    const first = await answered(run);
    await order(run, 'refork');
    await until('the first mold has gone', async () => {
      const { molds, herd } = await run.status();
      return molds.length === 1 && herd.generation === 2;
    });
    expect(await answered(run)).toMatchObject({ pid: first.pid, calls: 2 });
    run.signal('SIGKILL');
    await run.ended;
    expect(await answered(run)).toMatchObject({ pid: first.pid, calls: 3 });
    const next = serve(ARGS, { cwd: run.folder, runtimeDirectory: run.runtimeDirectory, env });
    await next.waitUntilServing();
    expect(await answered(next)).toMatchObject({ pid: first.pid });
    const { molds } = await next.status();
    kill([molds[0]?.pid ?? 0]);
    expect(await answered(next)).toMatchObject({ pid: first.pid });
    await until('another mold is ready', async () => {
      const [mold] = (await next.status()).molds;
      return mold?.phase === 'ready' && mold.pid !== molds[0]?.pid;
    });
    // Those of the killed mold too, for which no mold waits.
    await next.stop();
    await run.expectNothingLeft();
  });

  test('leave with a herd whose keeper is killed, or whose supervisor is gone', async () => {
    const run = await serving(ARGS, { files, env });
    await answered(run);
    run.signal('SIGKILL');
    await run.ended;
    await order(run, 'stop');
    await run.expectNothingLeft();
    const other = await serving([...ARGS, '--bind', 'unix:web.sock'], { files, env });
    const { herd } = await other.status();
    const first = await answered(other);
    kill([herd.keeper.pid ?? 0]);
    await until('the old ones are gone', () => isGone(first.pid) && isGone(first.arbiter));
    await until('a new herd serves', async () => {
      try {
        return (await other.workers()).filter(({ state }) => state === 'ready').length === 2;
      } catch {
        return false;
      }
    });
    await answered(other);
    await other.stop();
  });

  test('leave by themselves when their guardian is killed', async () => {
    const run = await serving(ARGS, { files, env });
    const first = await answered(run);
    kill([guardianOf(run, first)]);
    await until('they are gone', () => isGone(first.pid) && isGone(first.arbiter));
    await order(run, 'reload');
    expect(await answered(run)).toMatchObject({ calls: 1 });
    await run.stop();
  });

  test('that are busy hold up no stop', async () => {
    const run = await serving([...ARGS, '--timeout', '100'], { files, env });
    const slow = run.get('/sleep').catch(() => null);
    await until('it sleeps', () => existsSync(path.join(run.folder, 'asleep')));
    run.signal('SIGQUIT');
    expect(await run.ended).toEqual({ status: 0, signal: null });
    await slow;
    await until('all are gone', () => run.processes.length === 0, 10_000);
    await run.expectNothingLeft();
  });

  test('run as the user of the workers, who can reach them', needs(ROOT_NEEDED), async () => {
    const folder = temporaryFolder();
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
    spawnSync('chmod', ['-R', 'a+rX', folder]);
    const run = await serving([...ARGS, '--user', '65534', '--group', '65534', '--initgroups', '--chdir', folder], {});
    expect(await answered(run)).toMatchObject({ uid: 65_534 });
    await run.stop();
  });

  test('of a wrong name are refused, and nothing is left of a herd that does not start', async () => {
    const wrong = serve(['site_app:app', '--dirty-app', 'nonsense', '--dirty-workers', '1'], { files, env });
    expect(await wrong.ended).toEqual({ status: catalogue.INVALID_SETTING.exitStatus, signal: null });
    expect(wrong.stderr).toMatch(/dirty_apps: .*Invalid import path format: nonsense/);
    await wrong.expectNothingLeft();
    const broken = serve(['gone:app', ...ARGS.slice(1)], { files, env });
    expect(await broken.ended).toEqual({ status: catalogue.APP_IMPORT_FAILED.exitStatus, signal: null });
    await broken.expectNothingLeft();
  });
});
