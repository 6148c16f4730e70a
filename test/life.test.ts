/** A herd's ordinary life: deaths and replacements, signals, settings, hooks, logs. */
import { createSocket } from 'node:dgram';
import { existsSync, lstatSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { cowherd, HELLO, PYTHON, serve, serving, temporaryFolder, type Run } from './support/cowherd.ts';
import { fetchFrom } from './support/http.ts';
import { isGone, kill, processInfo } from './support/processes.ts';
import { until } from './support/until.ts';
import { readyPids, untilReady } from './support/workers.ts';

const files = { 'hello.py': HELLO };

function read(run: Run, name: string): string {
  const file = path.join(run.folder, name);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

describe('workers that die', () => {
  test('are replaced: the first at once, later ones after growing pauses', async () => {
    const run = await serving(['hello:app', '--workers', '2'], { files });
    let before = await readyPids(run);
    for (let death = 1; death <= 4; death += 1) {
      process.kill(before[0]!, 'SIGKILL');
      await until('it is gone', () => isGone(before[0]!));
      before = await untilReady(run, 2, [before[0]!]);
    }
    const log = run.messages.join('\n');
    expect(log.match(/^Worker \d+ \(slot \d\) was ended by SIGKILL/gm)?.length).toBe(4);
    // Three pauses for four deaths: the first has none.
    expect(log.match(/the next is forked in [\d.]+ s/g)).toEqual([
      'the next is forked in 0.1 s',
      'the next is forked in 0.2 s',
      'the next is forked in 0.4 s',
    ]);
    expect((await run.get('/')).status).toBe(200);
    await run.stop();
  });

  test('with a request in flight are reported, and the others keep serving', async () => {
    const app = `
import os, time
def app(environ, start_response):
    start_response("200 OK", [])
    if environ["PATH_INFO"] == "/slow":
        time.sleep(600)
    return [str(os.getpid()).encode()]
`;
    const run = await serving(['slow:app', '--workers', '2'], { files: { 'slow.py': app } });
    const lost = run.get('/slow').catch(() => null);
    const busy = await until('one is busy', async () => (await run.workers()).find((worker) => worker.in_flight === 1));
    const answers = await Promise.all(Array.from({ length: 5 }, () => run.get('/')));
    expect(answers.every((answer) => answer.status === 200)).toBe(true);
    process.kill(busy.pid, 'SIGKILL');
    expect(await lost).toBeNull();
    await run.waitForText(/was ended by SIGKILL.*, with 1 request\(s\) in flight/);
    await untilReady(run, 2, [busy.pid]);
    await run.stop();
  });

  test('by a crash are reported with the signal', async () => {
    const app = `
import ctypes
def app(environ, start_response):
    start_response("200 OK", [])
    if environ["PATH_INFO"] == "/crash":
        ctypes.string_at(0)
    return [b"well"]
`;
    const run = await serving(['crash:app'], { files: { 'crash.py': app } });
    expect((await run.get('/')).text).toBe('well');
    await run.get('/crash').catch(() => null);
    await run.waitForText(/was ended by SIGSEGV/);
    await until('another serves', async () => (await run.get('/').catch(() => null))?.text === 'well');
    await run.stop();
  });

  test('right after their fork are replaced too', async () => {
    const config = `
import os
def post_fork(server, worker):
    if worker.age in (1, 2, 3):
        os._exit(77)
`;
    const run = await serving(['hello:app', '--workers', '2', '-c', 'gunicorn.conf.py'], {
      files: { ...files, 'gunicorn.conf.py': config },
    });
    expect((await readyPids(run)).length).toBe(2);
    expect(run.messages.filter((message) => /^Worker .* exited with status 77/.test(message)).length).toBe(3);
    await run.stop();
  });

  test('are killed after the timeout if they are silent', async () => {
    const app = `
import os, time
def app(environ, start_response):
    start_response("200 OK", [])
    if environ["PATH_INFO"] == "/stuck":
        time.sleep(600)
    return [b"well"]
`;
    const run = await serving(['stuck:app', '--timeout', '2'], { files: { 'stuck.py': app } });
    const [stuck] = await readyPids(run);
    await run.get('/stuck').catch(() => null);
    await run.waitForText(/WORKER TIMEOUT/);
    expect(run.stderr).toContain(`WORKER TIMEOUT (pid:${stuck})`);
    await untilReady(run, 1, [stuck!]);
    expect((await run.get('/')).text).toBe('well');
    await run.stop();
  });
});

test('a mold that dies is replaced while the workers keep serving', async () => {
  const run = await serving(['hello:app', '--workers', '2'], { files });
  const before = await readyPids(run);
  const mold = (await run.status()).molds[0]!;
  process.kill(mold.pid!, 'SIGKILL');
  await run.waitForText(/The mold of generation 1 .* was ended by SIGKILL.*workers keep serving/);
  expect((await run.get('/')).status).toBe(200);
  const next = await until('a new mold is ready', async () => {
    const [now] = (await run.status()).molds;
    return now?.generation === 2 && now.phase === 'ready' ? now : null;
  });
  expect(next.pid).not.toBe(mold.pid);
  expect(await readyPids(run)).toEqual(before);
  process.kill(before[0]!, 'SIGKILL');
  const after = await untilReady(run, 2, [before[0]!]);
  expect((await run.workers()).map((worker) => worker.generation).toSorted()).toEqual([1, 2]);
  expect(after).toContain(before[1]);
  await run.stop();
});

describe('signals', () => {
  test('TTIN and TTOU add and remove a worker; the last one stays', async () => {
    const config = `
def nworkers_changed(server, new_value, old_value):
    with open("changes", "a") as file:
        file.write(f"{old_value} {new_value}\\n")
`;
    const run = await serving(['hello:app', '--workers', '1', '-c', 'gunicorn.conf.py'], {
      files: { ...files, 'gunicorn.conf.py': config },
    });
    const [first] = await readyPids(run);
    run.signal('SIGTTIN');
    await untilReady(run, 2);
    run.signal('SIGTTIN');
    await untilReady(run, 3);
    expect((await run.status()).herd.workers_wanted).toBe(3);
    run.signal('SIGTTOU');
    // The oldest leaves, as in gunicorn.
    expect(await untilReady(run, 2)).not.toContain(first);
    run.signal('SIGTTOU');
    await untilReady(run, 1);
    run.signal('SIGTTOU');
    expect((await run.status()).herd.workers_wanted).toBe(1);
    expect((await run.get('/')).status).toBe(200);
    expect(run.messages.some((message) => message.includes('died in a row'))).toBe(false);
    await until('the hook was told', () => read(run, 'changes').endsWith('2 1\n'));
    expect(read(run, 'changes')).toBe('None 1\n1 2\n2 3\n3 2\n2 1\n');
    await run.stop();
  });

  test('USR1 reopens log files, of workers and of the mold', async () => {
    // The supervisor's own lines go to gunicorn's log file.
    const run = serve(
      ['hello:app', '--access-logfile', 'access.log', '--error-logfile', 'error.log', '--bind', 'unix:web.sock'],
      { files },
    );
    await until('it serves', () => read(run, 'error.log').includes('Serving: every worker is ready'));
    const get = async (pathname: string): Promise<unknown> => await fetchFrom(`unix:${run.folder}/web.sock`, pathname);
    await get('/before');
    await until('it is logged', () => read(run, 'access.log').includes('GET /before'));
    for (const name of ['access.log', 'error.log']) {
      renameSync(path.join(run.folder, name), path.join(run.folder, `${name}.1`));
    }
    run.signal('SIGUSR1');
    await until('they are there again', () =>
      ['access.log', 'error.log'].every((name) => existsSync(path.join(run.folder, name))),
    );
    await until('the new one is used', async () => {
      await get('/after');
      return read(run, 'access.log').includes('GET /after');
    });
    expect(read(run, 'access.log.1')).toContain('GET /before');
    await run.stop();
    expect(read(run, 'error.log')).toMatch(/Stopping[^]*Worker exiting/);
  });
});

describe('the pid file', () => {
  test('names the supervisor while it runs, and is removed', async () => {
    const run = await serving(['hello:app', '--pid', 'herd.pid'], { files });
    expect(Number(read(run, 'herd.pid'))).toBe(run.pid);
    await run.stop();
    expect(existsSync(path.join(run.folder, 'herd.pid'))).toBe(false);
  });

  test('replaces a link, and leaves its target alone', async () => {
    const folder = temporaryFolder();
    const precious = path.join(folder, 'precious');
    writeFileSync(precious, 'mine', { mode: 0o600 });
    const pidfile = path.join(folder, 'herd.pid');
    symlinkSync(precious, pidfile);
    const run = await serving(['hello:app', '--pid', pidfile], { files });
    expect(Number(readFileSync(pidfile, 'utf8'))).toBe(run.pid);
    expect(lstatSync(pidfile).isFile()).toBe(true);
    // Another process has taken over the file.
    writeFileSync(pidfile, '1\n');
    await run.stop();
    expect(readFileSync(pidfile, 'utf8')).toBe('1\n');
    expect(readFileSync(precious, 'utf8')).toBe('mine');
  });

  test('of a process that is gone is replaced', async () => {
    const run = await serving(['hello:app', '--pid', 'herd.pid'], { files: { ...files, 'herd.pid': '4194300\n' } });
    expect(Number(read(run, 'herd.pid'))).toBe(run.pid);
    await run.stop();
  });
});

test('paths are relative to --chdir, as in gunicorn', async () => {
  const run = await serving(
    ['hello:app', '--chdir', 'site', '--bind', 'unix:web.sock', '--pid', 'herd.pid', '--access-logfile', 'access.log'],
    { files: { 'site/hello.py': HELLO } },
  );
  const site = path.join(run.folder, 'site');
  expect((await fetchFrom(`unix:${site}/web.sock`, '/')).status).toBe(200);
  expect(Number(read(run, 'site/herd.pid'))).toBe(run.pid);
  await until('it is logged', () => read(run, 'site/access.log').includes('GET /'));
  await run.stop();
  expect(existsSync(path.join(site, 'web.sock'))).toBe(false);
  expect(existsSync(path.join(site, 'herd.pid'))).toBe(false);
});

describe('--daemon', () => {
  test('returns when the herd serves in the background; `status` and `stop` find it', async () => {
    const run = serve(['hello:app', '--daemon', '--workers', '2', '--bind', 'unix:web.sock'], { files });
    expect(await run.ended, run.stderr).toEqual({ status: 0, signal: null });
    const supervisor = Number(/process (\d+)/.exec(run.stdout)?.[1]);
    expect((await fetchFrom(`unix:${run.folder}/web.sock`, '/')).status).toBe(200);
    const { herd } = await run.status();
    expect(herd.supervisor.pid).toBe(supervisor);
    expect(herd.workers_ready).toBe(2);
    // Detached: events of the terminal don't reach it.
    expect(processInfo(supervisor)?.ppid).not.toBe(process.pid);
    await run.command('stop', '--runtime-dir', run.runtimeDirectory);
    await run.expectNothingLeft();
  });

  test('the same command adopts the herd of a killed supervisor in the background, too', async () => {
    const args = ['hello:app', '--daemon', '--workers', '2', '--bind', 'unix:web.sock'];
    const run = serve(args, { files });
    expect(await run.ended, run.stderr).toEqual({ status: 0, signal: null });
    const { herd, workers } = await run.status();
    kill([herd.supervisor.pid]);
    const again = cowherd(['serve', '--python', PYTHON, '--runtime-dir', run.runtimeDirectory, ...args], {
      cwd: run.folder,
    });
    expect(await again.ended, again.stderr).toEqual({ status: 0, signal: null });
    expect(again.stdout).toMatch(/^Serving in the background: process \d+$/m);
    const after = await run.status();
    expect(after.workers.map(({ pid }) => pid)).toEqual(workers.map(({ pid }) => pid));
    expect(after.herd.supervisor.pid).not.toBe(herd.supervisor.pid);
    await run.command('stop', '--runtime-dir', run.runtimeDirectory);
    await run.expectNothingLeft();
  });

  test('fails in the foreground, with the error and its exit status', async () => {
    const run = serve(['no_such_module:app', '--daemon'], { files });
    expect(await run.ended).toEqual({ status: 4, signal: null });
    expect(run.stderr).toContain('no_such_module');
    // The background process has reported the error, and ends.
    await until('it has left', () => run.processes.length === 0);
    await run.expectNothingLeft();
  });
});

describe('logs', () => {
  test('are JSON, one object a line, where stderr is no terminal', async () => {
    const run = await serving(['hello:app', '--workers', '2'], { files });
    await run.stop();
    const lines = run.stderr.split('\n').slice(0, -1);
    for (const line of lines) {
      expect(JSON.parse(line)).toMatchObject({
        level: expect.stringMatching(/^(debug|info|warning|error|critical)$/),
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        pid: expect.any(Number),
        logger: expect.any(String),
        msg: expect.any(String),
      });
    }
    expect(new Set(run.log.map((line) => line.logger))).toEqual(new Set(['cowherd', 'gunicorn.error']));
    const loaded = run.messages.filter((message) => /^loaded the application, modules: \d+ \(/.test(message));
    expect(loaded.length).toBe(1);
  });

  test('are readable lines on a terminal, with colors, and a Ctrl-C there stops the herd', async () => {
    const run = await serving(['hello:app', '--workers', '2'], { files, terminal: true, env: { TERM: 'xterm' } });
    const { herd } = await run.status();
    process.kill((await readyPids(run))[0]!, 'SIGKILL');
    await run.waitForText(/was ended by SIGKILL/);
    run.type('\u0003');
    expect(await run.ended).toEqual({ status: 0, signal: null });
    await run.expectNothingLeft();
    // eslint-disable-next-line no-control-regex
    expect(run.stdout).toMatch(/\u001B\[31m\[ERROR\]\u001B\[39m Worker \d+ \(slot \d\) was ended by SIGKILL/);
    // eslint-disable-next-line no-control-regex
    const plain = run.stdout.replaceAll(/\u001B\[[0-9;]*[mK]/g, '');
    const date = String.raw`\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\]`;
    expect(plain).toMatch(new RegExp(`${date} \\[${herd.supervisor.pid}\\] \\[INFO\\] Listening at: http://127`));
    expect(plain).toMatch(new RegExp(`${date} \\[\\d+\\] \\[INFO\\] Booting worker with pid: \\d+`));
    expect(plain).toContain('Stopping (Ctrl-C)');
    expect(plain).not.toContain('{"level"');
  });

  test("reach syslog in gunicorn's format, from the supervisor and from the workers", async () => {
    const lines: string[] = [];
    const syslog = createSocket('udp4', (message) => lines.push(message.toString().replace(/\0$/, '')));
    await new Promise<void>((resolve) => {
      syslog.bind(0, '127.0.0.1', resolve);
    });
    const to = ['--log-syslog', '--log-syslog-to', `udp://127.0.0.1:${syslog.address().port}`];
    const run = await serving(['hello:app', ...to, '--log-syslog-prefix', 'shop'], { files });
    const [first] = await readyPids(run);
    process.kill(first!, 'SIGKILL');
    const own = (text: string, priority = 14): string => `<${priority}>gunicorn.shop.error: [${run.pid}] ${text}`;
    await until('the death is told', () => lines.some((line) => line.startsWith(own('Worker', 11))));
    const second = await untilReady(run, 1, [first!]);
    await run.stop();
    expect(lines).toContain(own('Serving: every worker is ready'));
    expect(lines).toContain(own('Stopping (SIGTERM)'));
    for (const pid of [first!, ...second]) {
      expect(lines).toContain(`<14>gunicorn.shop.error: [${pid}] Booting worker with pid: ${pid}`);
    }
    syslog.close();
  });

  test('have no colors with NO_COLOR', async () => {
    const run = await serving(['hello:app'], { files, terminal: true, env: { TERM: 'xterm', NO_COLOR: '1' } });
    process.kill((await readyPids(run))[0]!, 'SIGKILL');
    await run.waitForText(/\[ERROR\] Worker \d+ \(slot 0\) was ended by SIGKILL/);
    run.type('\u0003');
    expect(await run.ended).toEqual({ status: 0, signal: null });
    // eslint-disable-next-line no-control-regex
    expect(run.stdout).not.toMatch(/\u001B\[[0-9;]*m/);
  });

  test('follow --log-format and --log-level', async () => {
    const run = await serving(['hello:app', '--log-format', 'text'], { files });
    expect(run.stderr).toMatch(/\[INFO\] Listening at/);
    expect(run.log).toEqual([]);
    await run.stop();
    const quiet = serve(['hello:app', '--log-level', 'error', '--bind', 'unix:quiet.sock'], { files });
    await until('it serves', async () => {
      try {
        return (await fetchFrom(`unix:${quiet.folder}/quiet.sock`, '/')).status === 200;
      } catch {
        return false;
      }
    });
    expect(quiet.messages.filter((message) => !message.startsWith('Python: '))).toEqual([]);
    await quiet.stop();
  });
});

const HOOKS = `
import os
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

bind = "127.0.0.1:0"
workers = 2

def note(name, *arguments):
    kinds = []
    for argument in arguments:
        if isinstance(argument, Arbiter):
            assert argument.cfg.workers == 2 and argument.log is not None
            # gunicorn's has none yet when it counts its workers for the first time.
            assert name == "nworkers_changed" or argument.pid > 0
            kinds.append("server")
        elif isinstance(argument, Worker):
            assert argument.cfg.workers == 2 and argument.age > 0
            kinds.append("worker")
        else:
            kinds.append(type(argument).__name__)
    with open("hooks", "a") as file:
        file.write(f"{name} {' '.join(kinds)} {os.getpid()}\\n")

def on_starting(server): note("on_starting", server)
def when_ready(server):
    assert len(server.LISTENERS) == 1
    note("when_ready", server)
def pre_fork(server, worker): note("pre_fork", server, worker)
def post_fork(server, worker):
    assert worker.pid == os.getpid()
    note("post_fork", server, worker)
def post_worker_init(worker): note("post_worker_init", worker)
def worker_int(worker): note("worker_int", worker)
def worker_abort(worker): note("worker_abort", worker)
def pre_request(worker, req):
    assert req.path == "/"
    note("pre_request", worker)
def post_request(worker, req, environ, resp):
    assert environ["PATH_INFO"] == "/" and resp.status.startswith("200")
    note("post_request", worker)
def child_exit(server, worker):
    assert worker.pid not in server.WORKERS
    note("child_exit", server, worker)
def worker_exit(server, worker): note("worker_exit", server, worker)
def nworkers_changed(server, new_value, old_value): note("nworkers_changed", server, new_value, old_value)
def on_exit(server): note("on_exit", server)
`;

describe('server hooks', () => {
  test('are all called, each in its process, with the same arguments as in gunicorn', async () => {
    const run = await serving(['hello:app', '--bind', '127.0.0.1:0'], {
      files: { ...files, 'gunicorn.conf.py': HOOKS },
    });
    const [mold] = (await run.status()).molds;
    const workers = (await readyPids(run)).toSorted();
    await run.get('/');
    await until('the request has ended', () => read(run, 'hooks').includes('post_request'));
    await run.stop();

    const calls = read(run, 'hooks').split('\n').slice(0, -1);
    const inMold = calls.filter((call) => call.endsWith(` ${mold!.pid}`)).map((call) => call.replace(/ \d+$/, ''));
    expect(inMold).toEqual([
      'nworkers_changed server int NoneType',
      'on_starting server',
      'when_ready server',
      'pre_fork server worker',
      'pre_fork server worker',
      'child_exit server worker',
      'child_exit server worker',
      'on_exit server',
    ]);
    for (const pid of workers) {
      const inWorker = calls.filter((call) => call.endsWith(` ${pid}`)).map((call) => call.replace(/ \d+$/, ''));
      expect(inWorker.filter((call) => !call.includes('request'))).toEqual([
        'post_fork server worker',
        'post_worker_init worker',
        'worker_exit server worker',
      ]);
    }
    const requests = calls.filter((call) => call.includes('_request'));
    expect(requests.map((call) => call.replace(/ \d+$/, ''))).toEqual(['pre_request worker', 'post_request worker']);
    expect(calls.length).toBe(inMold.length + 3 * workers.length + requests.length);
  });

  test('worker_int and worker_abort are called on a quick stop and on a timeout', async () => {
    const app = `
import time
def app(environ, start_response):
    time.sleep(600)
`;
    const run = await serving(['stuck:app', '--bind', '127.0.0.1:0', '--timeout', '2'], {
      files: { 'stuck.py': app, 'gunicorn.conf.py': HOOKS.replace('resp.status.startswith("200")', 'True') },
    });
    await run.get('/').catch(() => null);
    await run.waitForText(/WORKER TIMEOUT/);
    await until('the hook was called', () => read(run, 'hooks').includes('worker_abort worker'));
    await untilReady(run, 2);
    await run.stop('SIGQUIT');
    expect(read(run, 'hooks').match(/worker_int worker/g)?.length).toBe(2);
  });

  test('nworkers_changed is called for changes only, even at a reload of a scaled herd', async () => {
    const config = `
def nworkers_changed(server, new_value, old_value):
    with open("changes", "a") as file:
        file.write(f"{new_value} {old_value}\\n")
`;
    const run = await serving(['hello:app', '--workers', '1'], { files: { ...files, 'gunicorn.conf.py': config } });
    const args = ['--runtime-dir', run.runtimeDirectory];
    await run.command('scale', '2', ...args);
    await untilReady(run, 2);
    await run.command('reload', ...args);
    await run.stop();
    // Two calls in the first mold, then two in the second.
    expect(read(run, 'changes')).toBe('1 None\n2 1\n1 None\n2 1\n');
  });

  test('that fail do not end the mold', async () => {
    const config = `
def child_exit(server, worker):
    raise RuntimeError("child_exit fails")
def nworkers_changed(server, new, old):
    if old is not None:
        raise RuntimeError("nworkers_changed fails")
def worker_exit(server, worker):
    raise RuntimeError("worker_exit fails")
def on_exit(server):
    raise RuntimeError("on_exit fails")
`;
    const run = await serving(['hello:app', '--workers', '1'], { files: { ...files, 'gunicorn.conf.py': config } });
    run.signal('SIGTTIN');
    await run.waitForText(/nworkers_changed fails/);
    await untilReady(run, 2);
    process.kill((await readyPids(run))[0]!, 'SIGKILL');
    await run.waitForText(/child_exit fails/);
    await untilReady(run, 2);
    await run.stop();
    expect(run.stderr).toContain('worker_exit fails');
    expect(run.stderr).toContain('on_exit fails');
  });
});

describe('settings', () => {
  const conf = 'workers = 1\nproc_name = "of-the-file"\n';

  test('come from the file, then GUNICORN_CMD_ARGS, then the command line', async () => {
    const wanted = async (args: string[], env: Record<string, string>): Promise<number> => {
      const run = await serving(['hello:app', ...args], { files: { ...files, 'other.py': conf }, env });
      const { herd } = await run.status();
      await run.stop();
      return herd.workers_wanted;
    };
    expect(await wanted(['-c', 'other.py'], {})).toBe(1);
    expect(await wanted(['-c', 'other.py'], { GUNICORN_CMD_ARGS: '--workers 2' })).toBe(2);
    expect(await wanted(['-c', 'other.py', '-w', '3'], { GUNICORN_CMD_ARGS: '--workers=2' })).toBe(3);
    expect(await wanted(['hello:app'].slice(1), { WEB_CONCURRENCY: '2' })).toBe(2);
  });

  test("Cowherd's own may be in the file and in GUNICORN_CMD_ARGS", async () => {
    const run = await serving(['hello:app'], {
      files: {
        ...files,
        'gunicorn.conf.py': 'heap_policy = "freeze"\nwarmup = ["GET /?token=secret"]\nsampling_budget = 2.5\n',
      },
      env: { GUNICORN_CMD_ARGS: '--policy stock' },
    });
    const { herd, molds } = await run.status();
    expect(herd.policy).toBe('stock');
    expect(herd.sampling.budget_percent).toBe(2.5);
    expect(molds[0]?.report['warmup']).toMatchObject([{ request: 'GET /', status: 200, error: null }]);
    await run.stop();
    expect(run.stderr).not.toContain('secret');
  });

  test('the application may be named in the file', async () => {
    const run = await serving([], { files: { ...files, 'gunicorn.conf.py': 'wsgi_app = "hello:app"\n' } });
    expect((await run.get('/')).status).toBe(200);
    await run.stop();
  });

  test('--check-config says nothing when all is well, and the error when it is not', async () => {
    const good = serve(['hello:app', '--check-config'], { files });
    expect(await good.ended, good.stderr).toEqual({ status: 0, signal: null });
    expect(good.messages.some((message) => message.includes('Listening'))).toBe(false);
    await good.expectNothingLeft();
    const bad = serve(['hello:no_such_name', '--check-config'], { files });
    expect((await bad.ended).status).not.toBe(0);
    expect(bad.stderr).toContain('no_such_name');
    await bad.expectNothingLeft();
  });

  test('--print-config prints every setting, with ours', async () => {
    const run = serve(['hello:app', '--print-config', '--workers', '7', '--policy', 'freeze'], { files });
    expect(await run.ended, run.stderr).toEqual({ status: 0, signal: null });
    expect(run.stdout).toMatch(/^workers\s+= 7$/m);
    expect(run.stdout).toMatch(/^heap_policy\s+= freeze$/m);
    expect(run.stdout).toMatch(/^graceful_timeout\s+= 30$/m);
    await run.expectNothingLeft();
  });
});

test('reload: workers load the application themselves, and again when a file changes', async () => {
  const app = (text: string): string => `
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"${text}"]
`;
  const run = await serving(['changing:app', '--reload', '--reload-engine', 'poll'], {
    files: { 'changing.py': app('before') },
  });
  expect((await run.get('/')).text).toBe('before');
  expect(run.messages.join('\n')).toContain('reload is on');
  writeFileSync(path.join(run.folder, 'changing.py'), `${app('after')}\n# longer\n`);
  await until('the new code answers', async () => (await run.get('/').catch(() => null))?.text === 'after');
  await run.stop();
});

describe('the command status', () => {
  test('prints a table for people, and a versioned format for programs', async () => {
    const run = await serving(['hello:app', '--workers', '2'], { files });
    await run.get('/');
    await until('it is counted', async () => (await run.status()).herd.requests === 1);
    const json = await run.command('status', '--json', '--runtime-dir', run.runtimeDirectory);
    const report = JSON.parse(json.stdout) as Awaited<ReturnType<Run['status']>>;
    expect(report.version).toBe(1);
    expect(report.herd.requests).toBe(1);
    expect(report.workers.map((worker) => worker.state)).toEqual(['ready', 'ready']);
    await until('every worker has been looked at', async () =>
      (await run.workers()).every((worker) => worker.memory !== null),
    );
    for (const { memory, pid } of await run.workers()) {
      expect(memory!.rss).toBeGreaterThan(5 * 1024 * 1024);
      expect(memory!.shared + memory!.private).toBe(memory!.rss);
      expect(memory!.unshared + memory!.fresh).toBe(memory!.private);
      expect(memory!.pss).toBeLessThanOrEqual(memory!.rss);
      expect(processInfo(pid)?.name).toBe('cowherd-worker');
    }
    const table = await run.command('status', '--runtime-dir', run.runtimeDirectory);
    for (const worker of report.workers) expect(table.stdout).toContain(String(worker.pid));
    await run.stop();
  });

  test('--watch fits the size of the terminal, and says what it leaves out', async () => {
    const run = await serving(['hello:app', '--workers', '5'], { files });
    const sized = ['sh', '-c', 'stty cols 80 rows 12; exec "$@"', 'sh'];
    const watch = cowherd(['status', '--watch', '--interval', '0.2', '--runtime-dir', run.runtimeDirectory], {
      terminal: true,
      prefix: sized,
      env: { TERM: 'xterm' },
    });
    const screens = await until('it has shown two', () => {
      const shown = watch.stdout.split('\u001B[H\u001B[2J').slice(1, -1);
      return shown.length >= 2 ? shown : null;
    });
    watch.type('\u0003');
    await watch.ended;
    for (const screen of screens) {
      const lines = stripVTControlCharacters(screen).trimEnd().split(/\r?\n/);
      expect(lines.length).toBeLessThan(12);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
      expect(lines[0]).toContain('hello:app at http://');
      expect(lines.find((line) => line.startsWith('process'))).toMatch(/pid +state .*unshared/);
      const shown = lines.filter((line) => /^(mold|worker) \d/.test(line)).length;
      expect(shown).toBeGreaterThan(0);
      expect(lines).toContainEqual(`${6 - shown} more: make the window taller`);
    }
    await run.stop();
  });

  test('finds the herd of its folder by itself', async () => {
    const run = await serving(['hello:app'], { files, runtimeDirectory: null });
    const found = cowherd(['status', '--json'], { cwd: run.folder, env: { XDG_RUNTIME_DIR: run.folder } });
    expect(await found.ended, found.stderr).toEqual({ status: 0, signal: null });
    expect((JSON.parse(found.stdout) as Awaited<ReturnType<Run['status']>>).herd.supervisor.pid).toBe(run.pid);
    await run.stop();
  });
});
