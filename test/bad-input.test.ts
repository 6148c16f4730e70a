/**
 * Mistakes of users: each has a clear error and its own exit status (src/base/error-catalogue.ts), and leaves nothing
 * behind.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { catalogue } from '../src/base/error-catalogue.ts';
import type { ErrorCode } from '../src/base/errors.ts';
import {
  COWHERD,
  cowherd,
  HELLO,
  PYTHON,
  serve,
  serving,
  temporaryFolder,
  type Run,
  type StartOptions,
} from './support/cowherd.ts';
import { fetchFrom, isListening } from './support/http.ts';
import { gunicornFor, interpreter } from './support/interpreters.ts';
import { until } from './support/until.ts';
import { needs, ROOT_NEEDED, where } from './support/needs.ts';

const files = { 'hello.py': HELLO };

/** The last lines of stderr are the error, with code, details and advice; the exit status is that of the code. */
async function expectFailure(run: Run, code: ErrorCode, ...details: (string | RegExp)[]): Promise<void> {
  const ending = await run.ended;
  const { exitStatus, title } = catalogue[code];
  expect(ending, run.stderr).toEqual({ status: exitStatus, signal: null });
  const lines = run.stderr.trimEnd().split('\n');
  const error = lines.findLastIndex((line) => line.startsWith('Error '));
  expect(lines[error], run.stderr).toMatch(`Error ${code}: ${title}`);
  // One line for the error and one for the advice. Nothing follows them.
  expect(lines.length - error, run.stderr).toBe(2);
  for (const detail of details) expect(run.stderr).toMatch(detail);
  // A user's mistake is never reported as a fault of Cowherd.
  expect(run.stderr).not.toContain('INTERNAL');
  await run.expectNothingLeft();
}

async function fails(
  args: readonly string[],
  options: StartOptions,
  code: ErrorCode,
  ...details: (string | RegExp)[]
): Promise<Run> {
  const run = serve(args, options);
  await expectFailure(run, code, ...details);
  return run;
}

describe('the application', () => {
  test('is not there', async () => {
    const run = await fails(['no_such_module:app'], { files }, 'APP_IMPORT_FAILED', "No module named 'no_such_module'");
    expect(run.stderr).not.toContain('cowherd_agent');
  });

  test('raises when it is imported: its own traceback, then one line', async () => {
    const app = 'def deeper():\n    raise ValueError("the settings are wrong")\n\ndeeper()\n';
    const run = await fails(['broken:app'], { files: { 'broken.py': app } }, 'APP_IMPORT_FAILED');
    const traceback = run.stderr.slice(run.stderr.indexOf('Traceback'));
    expect(traceback).toMatch(
      /^Traceback \(most recent call last\):\n {2}File "[^"]*\/broken\.py", line 4, in <module>\n/,
    );
    expect(traceback).toContain('line 2, in deeper\n');
    expect(traceback).toContain('ValueError: the settings are wrong\n');
    // Frames of Cowherd and of the import machinery are left out.
    expect(run.stderr).not.toMatch(/cowherd_agent|importlib|gunicorn\/util/);
    expect(run.stderr).toMatch(/Error APP_IMPORT_FAILED: .*broken:app: ValueError: the settings are wrong/);
  });

  test('imports a module that is not installed', async () => {
    const app = 'import no_such_library\n';
    const run = await fails(['broken:app'], { files: { 'broken.py': app } }, 'APP_IMPORT_FAILED', 'no_such_library');
    expect(run.stderr).toMatch(/File "[^"]*\/broken\.py", line 1, in <module>/);
  });

  test('is no Python', async () => {
    await fails(['broken:app'], { files: { 'broken.py': 'def app(:\n' } }, 'APP_IMPORT_FAILED', /SyntaxError/);
  });

  test('leaves when it is imported', async () => {
    const app = 'import sys\nsys.exit("set DATABASE_URL first")\n';
    await fails(['leaving:app'], { files: { 'leaving.py': app } }, 'APP_IMPORT_FAILED', /set DATABASE_URL first/);
  });

  test('has another name, which the error suggests', async () => {
    const run = await fails(
      ['hello:application'],
      { files },
      'APP_IMPORT_FAILED',
      /Failed to find attribute 'application' in 'hello'; the nearest is hello:app\./,
    );
    expect(run.stderr).not.toContain('Traceback');
  });

  test('is not callable', async () => {
    await fails(['number:app'], { files: { 'number.py': 'app = 42\n' } }, 'APP_NOT_CALLABLE');
  });

  test.each(['on_starting', 'when_ready'])('has a hook that raises: %s', async (hook) => {
    const config = `def ${hook}(server):\n    raise RuntimeError("no licence")\n`;
    const run = await fails(
      ['hello:app'],
      { files: { ...files, 'gunicorn.conf.py': config } },
      'HOOK_FAILED',
      `${hook}: RuntimeError: no licence`,
    );
    expect(run.stderr).toMatch(/gunicorn\.conf\.py", line 2/);
  });

  test('is not named', async () => {
    await fails([], { files }, 'USAGE', /no application given/);
  });

  test('leaves threads running: the error names each and where it was started, and strict refuses them', async () => {
    const app = `
import threading, time
${HELLO}
def work():
    time.sleep(600)

threading.Thread(target=work, name="flusher", daemon=True).start()
watcher = threading.Timer(60, work)
watcher.name = "watcher"
watcher.daemon = True
watcher.start()
`;
    const strict = await fails(
      ['threads:app', '--strict'],
      { files: { 'threads.py': app } },
      'APP_LEFT_THREADS',
      /thread 'flusher' of threads, started at [^;]*\/threads\.py:\d+/,
      /thread 'watcher' of threads, started at [^;]*\/threads\.py:\d+/,
    );
    const line = app.split('\n').findIndex((text) => text.includes('flusher')) + 1;
    expect(strict.stderr).toContain(`threads.py:${line}`);

    for (const [more, warnings] of [
      [[], 2],
      [['--allow-threads'], 0],
      [['--allow-threads', '--strict'], 0],
    ] as const) {
      const run = await serving(['threads:app', ...more], { files: { 'threads.py': app } });
      expect(run.messages.filter((message) => message.startsWith('Fork safety: thread ')).length).toBe(warnings);
      expect((await run.get('/')).status).toBe(200);
      await run.stop();
    }
  });

  test('has started something that is known to hang in workers', async () => {
    const app = `
from multiprocessing.pool import ThreadPool
${HELLO}
pool = ThreadPool(1)
`;
    const files = { 'pools.py': app };
    await fails(['pools:app'], { files }, 'APP_LEFT_THREADS', /in a worker a call to the pool waits forever/);
    const run = await serving(['pools:app', '--allow-threads'], { files });
    expect(run.log.filter(({ level }) => level === 'warning')).toEqual([]);
    await run.stop();
  });

  test.each([
    ['leaves the process', 'os._exit(5)', /exited with status 5/],
    ['crashes', 'ctypes.string_at(0)', /was ended by SIGSEGV/],
  ])('%s at the first request', async (_what, how, ending) => {
    const app = `
import ctypes, os
def app(environ, start_response):
    ${how}
`;
    const run = await serving(['dying:app', '--workers', '2'], { files: { 'dying.py': app } });
    const address = run.address;
    // Any client may send such requests. They cost workers, but never the herd.
    await until('many have died', async () => {
      await fetchFrom(address, '/').catch(() => null);
      return run.messages.filter((message) => ending.test(message)).length > 6;
    });
    expect(run.messages.join('\n')).toMatch(/Crash loop/);
    expect((await run.status()).herd.phase).toBe('serving');
    await run.stop();
  });

  test('has workers that die before they are ready: the herd keeps trying, or ends if it is told to', async () => {
    const conf = 'def post_fork(server, worker):\n    import ctypes\n    ctypes.string_at(0)\n';
    const files = { 'hello.py': HELLO, 'gunicorn.conf.py': conf };
    await fails(['hello:app', '--exit-when-hopeless'], { files }, 'WORKERS_KEEP_DYING', /none was ever ready/);
    const run = serve(['hello:app'], { files });
    await until('many have died', () => run.messages.filter((message) => message.includes('SIGSEGV')).length > 6);
    expect(run.ending).toBeNull();
    await run.stop();
  });

  test('dies now and then: the herd keeps serving', async () => {
    const app = `
import os
def app(environ, start_response):
    if environ["PATH_INFO"] == "/die":
        os._exit(5)
    start_response("200 OK", [])
    return [b"well"]
`;
    const run = await serving(['dying:app'], { files: { 'dying.py': app } });
    expect((await run.get('/')).text).toBe('well');
    for (let death = 1; death <= 6; death += 1) {
      await until('it answers', async () => {
        await fetchFrom(run.address, '/die').catch(() => null);
        return run.messages.filter((message) => message.includes('exited with status 5')).length >= death;
      });
    }
    expect((await run.get('/')).text).toBe('well');
    await run.stop();
  });

  test('cannot be started in a worker', async () => {
    const config = 'def post_fork(server, worker):\n    raise RuntimeError("no licence")\n';
    const run = await fails(
      ['hello:app', '--workers', '3'],
      { files: { ...files, 'gunicorn.conf.py': config } },
      'WORKER_BOOT_FAILED',
      /RuntimeError: no licence/,
    );
    expect(run.stderr).toContain('Traceback');
  });

  test('needs more memory than there is', async () => {
    const app = `
import resource
resource.setrlimit(resource.RLIMIT_AS, (400 * 1024 * 1024,) * 2)
data = [bytes(1024 * 1024) for _ in range(1000)]
${HELLO}`;
    await fails(['large:app'], { files: { 'large.py': app } }, 'MOLD_OUT_OF_MEMORY', /while loading large:app/);
  });

  test('is killed while it is loaded, as the kernel does when memory runs out', async () => {
    const app = 'import os, time\nopen("loading", "w").close()\ntime.sleep(600)\n';
    const run = serve(['slow:app'], { files: { 'slow.py': app } });
    await until('it is loading', () => existsSync(path.join(run.folder, 'loading')));
    const mold = run.processes.find((info) => info.name === 'cowherd-mold');
    process.kill(mold!.pid, 'SIGKILL');
    await expectFailure(run, 'MOLD_OUT_OF_MEMORY', /was killed while it loaded/);
  });

  test('crashes while it is loaded', async () => {
    const app = 'import ctypes\nctypes.string_at(0)\n';
    await fails(
      ['crash:app'],
      { files: { 'crash.py': app } },
      'MOLD_DIED',
      /was ended by SIGSEGV while it was loading/,
    );
  });
});

describe('addresses', () => {
  let folder = '';
  let taken: Server;
  let port = 0;
  beforeAll(async () => {
    folder = temporaryFolder();
    taken = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => {
      taken.listen(0, '127.0.0.1', resolve);
    });
    const address = taken.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
  });
  afterAll(() => {
    taken.close();
    rmSync(folder, { recursive: true });
  });

  test('in use: a port', async () => {
    await fails(['hello:app', '--bind', `127.0.0.1:${port}`], { files }, 'ADDRESS_IN_USE', `127.0.0.1:${port}`);
    // The server that has the port is not disturbed.
    expect(await isListening(`http://127.0.0.1:${port}`)).toBe(true);
  });

  test('in use: the second of two; the first is released', async () => {
    await fails(
      ['hello:app', '--bind', 'unix:first.sock', '--bind', `127.0.0.1:${port}`],
      { files },
      'ADDRESS_IN_USE',
      `127.0.0.1:${port}`,
    );
  });

  test('in use: a Unix socket; it stays where it is', async () => {
    const socket = path.join(folder, 'taken.sock');
    const server = createServer((connection) => connection.end());
    await new Promise<void>((resolve) => {
      server.listen(socket, resolve);
    });
    await fails(['hello:app', '--bind', `unix:${socket}`], { files }, 'ADDRESS_IN_USE', 'taken.sock');
    expect(await isListening(`unix:${socket}`)).toBe(true);
    server.close();
  });

  test('left behind by a server that was killed: a socket file is taken over', async () => {
    const socket = path.join(folder, 'left.sock');
    execFileSync(PYTHON, ['-c', 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])', socket]);
    const run = await serving(['hello:app', '--bind', `unix:${socket}`], { files });
    expect((await fetchFrom(`unix:${socket}`, '/')).status).toBe(200);
    await run.stop();
    expect(existsSync(socket)).toBe(false);
  });

  test.each([
    ['of another machine', '192.0.2.1:8000'],
    ['in a folder that is not there', 'unix:/no/such/folder/web.sock'],
    ['of a name that does not resolve', 'no-such-host.invalid:8000'],
    ['a descriptor that is no socket', 'fd://63'],
  ])('not to be had: %s', async (_what, address) => {
    await fails(['hello:app', '--bind', address], { files }, 'ADDRESS_UNAVAILABLE', address.replace('unix:', ''));
  });

  test('not usable: an ordinary file, which stays as it is', async () => {
    const file = path.join(folder, 'precious');
    writeFileSync(file, 'data');
    await fails(['hello:app', '--bind', `unix:${file}`], { files }, 'ADDRESS_UNAVAILABLE', /not a socket/);
    expect(existsSync(file)).toBe(true);
  });

  test('not understood: a port in words', async () => {
    await fails(
      ['hello:app', '--bind', '127.0.0.1:eighty'],
      { files },
      'INVALID_SETTING',
      /bind: 'eighty' is not a valid port number \(set on the command line\)/,
    );
  });

  test('not understood: a port alone, which gunicorn takes for a host', async () => {
    await fails(['hello:app', '--bind', '8000'], { files }, 'INVALID_SETTING', /write 127\.0\.0\.1:8000/);
  });

  test('in use: reported before the application is loaded', async () => {
    const app = `import time\nopen("loading", "w").close()\ntime.sleep(600)\n${HELLO}`;
    await fails(['slow:app', '--bind', `127.0.0.1:${port}`], { files: { 'slow.py': app } }, 'ADDRESS_IN_USE');
  });
});

describe('settings', () => {
  test.each([
    [['--wokers', '4'], /--wokers is not an option of Cowherd or gunicorn; the nearest is --workers/],
    [['--bin=127.0.0.1:0', '--gracefull-timeout', '3'], /--gracefull-timeout .* the nearest is --graceful-timeout/],
    [['--warm-up', 'GET /'], /the nearest is --warmup/],
    [['--polcy', 'stock'], /the nearest is --policy/],
  ])('mistyped on the command line: %s', async (args, message) => {
    await fails(['hello:app', ...args], { files }, 'UNKNOWN_SETTING', message);
  });

  test.each([
    ['worker = 4\n', /worker in .*gunicorn\.conf\.py is not a setting; the nearest is workers/],
    ['timout = 4\n', /the nearest is timeout/],
    ['heap_polcy = "stock"\n', /the nearest is heap_policy/],
    ['def post_forc(server, worker):\n    pass\n', /the nearest is post_fork/],
  ])('mistyped in the file: %s', async (config, message) => {
    await fails(['hello:app'], { files: { ...files, 'gunicorn.conf.py': config } }, 'UNKNOWN_SETTING', message);
  });

  test('that are other names in the file are ignored', async () => {
    const config =
      'import os\nfrom os import path as paths\n_worker = 4\nmain_port = 8000\ndef helper():\n    return 1\n';
    const run = await serving(['hello:app'], { files: { ...files, 'gunicorn.conf.py': config } });
    await run.stop();
  });

  test.each([
    ['workers = "many"\n', /workers|many/],
    ['heap_policy = "frozen"\n', /heap_policy must be one of auto, immortal, freeze, instagram, stock; it is 'frozen'/],
    ['warmup = ["GET"]\n', /a request reads 'GET \/path'/],
    ['warmup = 7\n', /warmup must be a list of requests/],
    ['sampling_budget = 200\n', /sampling_budget must be between 0 and 100 percent/],
    ['gc_guard = "maybe"\n', /gc_guard must be one of hold, report, off/],
    ['worker_class = "nonsense"\n', /worker_class: class uri 'nonsense' invalid or not found/],
    ['worker_class = "no_such_worker.Worker"\n', /worker_class: .*No module named 'no_such_worker'/],
    ['workers = 0\n', /workers must be between 1 and 1,000; it is 0 \(set in .*gunicorn\.conf\.py\)/],
    ['timeout = -3\n', /timeout: Value must be positive: -3 \(set in .*gunicorn\.conf\.py\)/],
    ['this is no Python\n', /gunicorn\.conf\.py can't be executed: SyntaxError/],
    ['raise RuntimeError("no such host")\n', /RuntimeError: no such host/],
  ])('with a wrong value: %s', async (config, message) => {
    const run = await fails(
      ['hello:app'],
      { files: { ...files, 'gunicorn.conf.py': config } },
      'INVALID_SETTING',
      message,
    );
    expect(run.stderr).not.toMatch(/importlib|gunicorn\/app/);
  });

  test.each([
    [{ WEB_CONCURRENCY: 'abc' }, 'INVALID_SETTING', /WEB_CONCURRENCY must be a number of workers; it is 'abc'/],
    [{ WEB_CONCURRENCY: '0' }, 'INVALID_SETTING', /it is 0 \(set in WEB_CONCURRENCY\)/],
    [{ GUNICORN_CMD_ARGS: '--workers 1000000' }, 'INVALID_SETTING', /it is 1,000,000 \(set in GUNICORN_CMD_ARGS\)/],
    [{ GUNICORN_CMD_ARGS: '--workers two' }, 'USAGE', /--workers: invalid int value: 'two' \(in GUNICORN_CMD_ARGS\)/],
    [{ GUNICORN_CMD_ARGS: '--policy imortal' }, 'INVALID_SETTING', /it is 'imortal' \(set in GUNICORN_CMD_ARGS\)/],
    [{ GUNICORN_CMD_ARGS: "--policy 'stock" }, 'INVALID_SETTING', /GUNICORN_CMD_ARGS: No closing quotation/],
  ] as const)('in the environment: %o', async (env, code, message) => {
    await fails(['hello:app'], { files, env }, code, message);
  });

  test.each([
    [['--warmup', 'GET'], 'INVALID_SETTING', /a request reads 'GET \/path'/],
    [['--policy', 'frozen'], 'INVALID_SETTING', /heap_policy must be one of/],
    [['--workers', 'many'], 'USAGE', /--workers: invalid/],
    [['--workers', '-1'], 'INVALID_SETTING', /workers: Value must be positive: -1 \(set on the command line\)/],
    [['--workers', '0'], 'INVALID_SETTING', /workers must be between 1 and 1,000; it is 0 \(set on the command line\)/],
    [['--workers', '1001'], 'INVALID_SETTING', /workers must be between 1 and 1,000; it is 1,001/],
    [['-k', 'gevant'], 'INVALID_SETTING', /worker_class: .*\(set on the command line\); the nearest is gevent/],
    [['-k', 'tornado'], 'INVALID_SETTING', /install it: .*python.* -m pip install tornado/],
    [['-c', 'no-such-file.py'], 'INVALID_SETTING', /no-such-file\.py/],
    [['--log-format', 'xml'], 'USAGE', /--log-format is text or json, not xml/],
    [['--python'], 'USAGE', /--python needs a value/],
  ] as const)('on the command line: %s', async (args, code, message) => {
    await fails(['hello:app', ...args], { files }, code, message);
  });

  test('on the command line: a command that is not there', async () => {
    const run = cowherd(['sreve', 'hello:app'], { files });
    await expectFailure(run, 'USAGE', /sreve/);
  });

  test('a warm-up request that fails is reported, and the herd serves anyway', async () => {
    const app = `
def app(environ, start_response):
    if environ["PATH_INFO"] == "/broken":
        raise RuntimeError("no table")
    start_response("404 Not Found" if environ["PATH_INFO"] == "/missing" else "200 OK", [])
    return [b"well"]
`;
    const run = await serving(
      ['warm:app', '--warmup', 'GET /', '--warmup', 'GET /broken', '--warmup', 'GET /missing'],
      { files: { 'warm.py': app } },
    );
    const log = run.messages.join('\n');
    expect(log).toContain('warm-up request GET /broken failed: RuntimeError: no table');
    expect(log).toContain('warm-up request GET /missing failed: status 404');
    expect(log).not.toContain('GET / failed');
    // The heap policy is not blamed for it.
    const { molds, herd } = await run.status();
    expect(molds[0]?.remarks.filter((remark) => remark.reason.includes('broken'))).toEqual([]);
    expect(herd.policy).not.toBe('stock');
    await run.stop();
  });
});

describe('the interpreter', () => {
  const tooOld = interpreter(({ version: [major, minor] }) => major === 3 && minor < 10);
  const before312 = interpreter(({ version: [major, minor] }) => major === 3 && (minor === 10 || minor === 11));
  const freeThreaded = interpreter(({ freeThreaded: free, version: [, minor] }) => free && minor >= 13);

  test('is not there', async () => {
    await fails(['hello:app'], { files, python: '/no/such/python3' }, 'PYTHON_NOT_FOUND', '/no/such/python3');
  });

  test('is not there, by name', async () => {
    await fails(['hello:app'], { files, python: 'python3.99' }, 'PYTHON_NOT_FOUND', /python3\.99 is not on PATH/);
  });

  test.each(['/bin/true', '/bin/cat'])('is no Python: %s', async (program) => {
    await fails(['hello:app'], { files, python: program }, 'PYTHON_NOT_FOUND', program);
  });

  test('is too old', needs(where(tooOld !== null, 'needs a Python 3.9 or older on this machine')), async () => {
    await fails(['hello:app'], { files, python: tooOld }, 'PYTHON_TOO_OLD', /is Python 3\.\d+\.\d+/);
  });

  test('has no gunicorn: the line that installs it is printed', async () => {
    const folder = temporaryFolder();
    execFileSync(PYTHON, ['-m', 'venv', '--without-pip', path.join(folder, '.venv')]);
    const python = path.join(folder, '.venv', 'bin', 'python');
    const run = await fails(['hello:app'], { files, python }, 'NO_GUNICORN', python);
    expect(run.stderr).toContain('pip install');
    rmSync(folder, { recursive: true });
  });

  test(
    'cannot have the requested policy, and says which ones it can have',
    needs(where(before312 !== null, 'needs a CPython 3.10 or 3.11 on this machine')),
    async () => {
      const folder = temporaryFolder();
      const env = { PYTHONPATH: gunicornFor(folder) };
      await fails(
        ['hello:app', '--policy', 'immortal'],
        { files, python: before312, env },
        'POLICY_UNAVAILABLE',
        /immortal.*3\.12/,
        /freeze/,
      );
      // `auto` falls back to the next policy, and says why.
      const run = await serving(['hello:app'], { files, python: before312, env });
      expect((await run.status()).herd.policy).toBe('freeze');
      expect(run.messages.join('\n')).toMatch(/Heap policy immortal is not used: .*3\.12/);
      expect((await run.get('/')).status).toBe(200);
      await run.stop();
      rmSync(folder, { recursive: true });
    },
  );

  test(
    'is free-threaded: serves with stock, and says so',
    needs(where(freeThreaded !== null, 'needs a free-threaded CPython on this machine')),
    async () => {
      const folder = temporaryFolder();
      const env = { PYTHONPATH: gunicornFor(folder) };
      const run = await serving(['hello:app'], { files, python: freeThreaded, env });
      expect((await run.status()).herd.policy).toBe('stock');
      expect(run.messages.join('\n')).toMatch(/Heap policy \w+ is not used: .*free-threaded/);
      expect((await run.get('/')).status).toBe(200);
      await run.stop();
      rmSync(folder, { recursive: true });
    },
  );
});

test('the pid file names a process that lives', async () => {
  const run = serve(['hello:app', '--pid', 'herd.pid'], { files: { ...files, 'herd.pid': `${process.pid}\n` } });
  await expectFailure(run, 'PIDFILE_IN_USE', 'herd.pid', String(process.pid));
  expect(existsSync(path.join(run.folder, 'herd.pid'))).toBe(true);
});

test('the pid file cannot be written', async () => {
  await fails(
    ['hello:app', '--pid', '/no/such/folder/herd.pid'],
    { files },
    'PIDFILE_UNWRITABLE',
    /herd\.pid \(ENOENT\)/,
  );
});

describe('the machine', () => {
  /** An environment with a module that Node loads before Cowherd, in the same process. */
  const pretend = (text: string): Record<string, string> => ({
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(text)}`,
  });

  test('is not Linux', async () => {
    const env = pretend('Object.defineProperty(process, "platform", { value: "darwin" });');
    await fails(['hello:app'], { files, env }, 'NOT_LINUX', 'darwin');
  });

  test('has too old a Node', async () => {
    const env = pretend('Object.defineProperty(process.versions, "node", { value: "18.20.1" });');
    const run = await fails(['hello:app'], { files, env }, 'NODE_TOO_OLD');
    expect(run.stderr).toContain(catalogue.NODE_TOO_OLD.advice);
  });

  test.each([20, 40, 63])('lets %i files be open', async (count) => {
    const run = await fails(['hello:app'], { files, prefix: ['prlimit', `--nofile=${count}`] }, 'TOO_FEW_DESCRIPTORS');
    expect(run.stderr).toBe(
      `Error TOO_FEW_DESCRIPTORS: ${catalogue.TOO_FEW_DESCRIPTORS.title}: ${count}; at least 64 are needed.\n` +
        `${catalogue.TOO_FEW_DESCRIPTORS.advice}\n`,
    );
  });

  test('lets the supervisor open too few of its own files: the keeper ends with it', async () => {
    // Past the check of bin/cowherd. The keeper has been started when the supervisor loads the most files.
    const command = path.join(path.dirname(COWHERD), '..', 'dist', 'cli', 'main.js');
    const prefix = ['prlimit', '--nofile=44'];
    await fails(['hello:app'], { files, prefix, command }, 'TOO_FEW_DESCRIPTORS', 'EMFILE');
  });

  test('lets 64 files be open, which is enough for a small herd', async () => {
    const run = await serving(['hello:app'], { files, prefix: ['prlimit', '--nofile=64'] });
    expect((await run.get('/')).status).toBe(200);
    await run.stop();
  });
});

describe('the runtime directory', () => {
  test('is a file', async () => {
    const folder = temporaryFolder();
    const runtimeDirectory = path.join(folder, 'file');
    writeFileSync(runtimeDirectory, '');
    await fails(['hello:app'], { files, runtimeDirectory }, 'RUNTIME_DIRECTORY_UNWRITABLE', runtimeDirectory);
    expect(existsSync(runtimeDirectory)).toBe(true);
    rmSync(folder, { recursive: true });
  });

  test('cannot be made', async () => {
    const runtimeDirectory = '/proc/1/cowherd';
    await fails(['hello:app'], { files, runtimeDirectory }, 'RUNTIME_DIRECTORY_UNWRITABLE', runtimeDirectory);
  });

  test('has too long a path for a socket', async () => {
    const folder = temporaryFolder();
    const runtimeDirectory = path.join(folder, 'a'.repeat(120));
    await fails(['hello:app'], { files, runtimeDirectory }, 'RUNTIME_DIRECTORY_TOO_LONG', /has 1\d\d bytes/);
    expect(existsSync(runtimeDirectory)).toBe(false);
    rmSync(folder, { recursive: true });
  });

  test('belongs to another herd, which is not disturbed', async () => {
    const first = await serving(['hello:app'], { files });
    const second = serve(['hello:app'], { files, runtimeDirectory: first.runtimeDirectory });
    expect(await second.ended).toEqual({ status: catalogue.RUNTIME_DIRECTORY_BUSY.exitStatus, signal: null });
    expect(second.stderr).toContain(first.runtimeDirectory);
    expect((await first.get('/')).status).toBe(200);
    expect((await first.status()).herd.workers_ready).toBe(1);
    await first.stop();
  });

  test('was left by a herd that was killed: it is reused', async () => {
    const first = await serving(['hello:app', '--bind', 'unix:web.sock'], { files });
    const { herd, molds, workers } = await first.status();
    // Stopped first, so that the keeper can't clean up.
    process.kill(herd.keeper.pid ?? 0, 'SIGSTOP');
    first.signal('SIGKILL');
    for (const pid of [herd.keeper.pid, ...[...molds, ...workers].map((each) => each.pid)]) {
      process.kill(pid ?? 0, 'SIGKILL');
    }
    await until('all have left', () => first.processes.length === 0);
    expect(existsSync(path.join(first.runtimeDirectory, 'control.sock'))).toBe(true);
    const status = cowherd(['status', '--runtime-dir', first.runtimeDirectory]);
    await expectFailure(status, 'NOT_RUNNING', first.runtimeDirectory);
    const second = await serving(['hello:app'], { files, runtimeDirectory: first.runtimeDirectory });
    expect((await second.status()).herd.supervisor.pid).toBe(second.pid);
    await second.stop();
  });

  test('is made for its owner only, and so are the files in it', async () => {
    const run = await serving(['hello:app'], { files });
    const mode = (name: string): number => statSync(path.join(run.runtimeDirectory, name)).mode & 0o7777;
    expect(mode('.')).toBe(0o700);
    for (const name of readdirSync(run.runtimeDirectory)) expect([name, mode(name)]).toEqual([name, 0o600]);
    await run.stop();
  });

  test.each([0o1777, 0o777, 0o755])('exists with mode %o: it is not touched', async (mode) => {
    const runtimeDirectory = path.join(temporaryFolder(), 'run');
    mkdirSync(runtimeDirectory);
    chmodSync(runtimeDirectory, mode);
    const run = serve(['hello:app'], { files, runtimeDirectory });
    const { exitStatus } = catalogue.RUNTIME_DIRECTORY_UNSAFE;
    expect(await run.ended, run.stderr).toEqual({ status: exitStatus, signal: null });
    expect(run.stderr).toContain(`${runtimeDirectory}: it already exists, with mode`);
    expect(run.processes).toEqual([]);
    expect(statSync(runtimeDirectory).mode & 0o7777).toBe(mode);
    expect(readdirSync(runtimeDirectory)).toEqual([]);
  });

  test('existed, empty: it stays, and so do files that somebody else has put there', async () => {
    const runtimeDirectory = path.join(temporaryFolder(), 'run');
    mkdirSync(runtimeDirectory, { mode: 0o700 });
    const run = await serving(['hello:app'], { files, runtimeDirectory });
    const theirs = ['census-report.txt', 'stack-of-mine'];
    for (const name of theirs) writeFileSync(path.join(runtimeDirectory, name), 'mine');
    run.signal('SIGTERM');
    expect(await run.ended, run.stderr).toEqual({ status: 0, signal: null });
    expect(
      readdirSync(runtimeDirectory)
        .filter((name) => !name.startsWith('.'))
        .toSorted(),
    ).toEqual(theirs);
    for (const name of theirs) rmSync(path.join(runtimeDirectory, name));
    const again = await serving(['hello:app'], { files, runtimeDirectory });
    again.signal('SIGTERM');
    await again.ended;
    expect(readdirSync(runtimeDirectory)).toEqual([]);
  });

  test('is restored to its former state by a herd that ends without a supervisor', async () => {
    const runtimeDirectory = path.join(temporaryFolder(), 'run');
    mkdirSync(runtimeDirectory, { mode: 0o700 });
    const run = await serving(['hello:app'], { files, runtimeDirectory });
    writeFileSync(path.join(runtimeDirectory, 'census-report.txt'), 'mine');
    run.signal('SIGKILL');
    await run.ended;
    await run.command('stop', '--runtime-dir', runtimeDirectory);
    await until('all have left', () => run.processes.length === 0);
    expect(readdirSync(runtimeDirectory).toSorted()).toEqual(['.cowherd-found', 'census-report.txt']);
  });

  test("is in another user's folder, which is refused to root as well", needs(ROOT_NEEDED), async () => {
    const folder = temporaryFolder();
    chownSync(folder, 65_534, 65_534);
    const runtimeDirectory = path.join(folder, 'run');
    await fails(['hello:app'], { files, runtimeDirectory }, 'RUNTIME_DIRECTORY_UNSAFE', /belongs to user 65534/);
    expect(existsSync(runtimeDirectory)).toBe(false);
  });

  test('is below a folder in which others can replace it', async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o777);
    const runtimeDirectory = path.join(folder, 'run');
    await fails(['hello:app'], { files, runtimeDirectory }, 'RUNTIME_DIRECTORY_UNSAFE', folder);
    expect(existsSync(runtimeDirectory)).toBe(false);
  });
});

describe('no herd', () => {
  test.each(['status', 'stop'])('for %s to find', async (command) => {
    await expectFailure(cowherd([command]), 'NOT_RUNNING', /none was started in .*cowherd-test-/);
    await expectFailure(cowherd([command, '--runtime-dir', '/no/such/directory']), 'NOT_RUNNING', '/no/such/directory');
  });

  test('that answers: its supervisor is stopped', async () => {
    const run = await serving(['hello:app'], { files });
    run.signal('SIGSTOP');
    const status = cowherd(['status', '--runtime-dir', run.runtimeDirectory]);
    await expectFailure(status, 'NO_ANSWER', run.runtimeDirectory);
    run.signal('SIGCONT');
    expect((await run.status()).herd.workers_ready).toBe(1);
    await run.stop();
  });

  test('that answers, and that has to be found first: the command waits only once', async () => {
    const run = await serving(['hello:app'], { files, runtimeDirectory: null });
    run.signal('SIGSTOP');
    const env = { XDG_RUNTIME_DIR: run.folder };
    const cwd = run.folder;
    const others = [cowherd(['status'], { cwd, env }), cowherd(['status', '--ready'], { cwd, env })];
    const startedMs = performance.now();
    expect((await others[0]?.ended)?.status).toBe(catalogue.NO_ANSWER.exitStatus);
    // One wait takes 4 s; the rest is the start of Node.
    expect(performance.now() - startedMs).toBeLessThan(8000);
    expect((await others[1]?.ended)?.status).toBe(1);
    run.signal('SIGCONT');
    await run.stop();
  });

  test('whose answer can be believed: another user owns the directory', needs(ROOT_NEEDED), async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o755);
    const runtimeDirectory = path.join(folder, 'run');
    mkdirSync(runtimeDirectory);
    const heard: string[] = [];
    const mallory = createServer((socket) => {
      socket.on('data', (data) => heard.push(data.toString())).on('error', () => {});
      socket.write('{"type":"stopping","pid":1}\n');
    });
    await new Promise<void>((resolve) => {
      mallory.listen(path.join(runtimeDirectory, 'control.sock'), resolve);
    });
    for (const place of [runtimeDirectory, path.join(runtimeDirectory, 'control.sock')]) chownSync(place, 4711, 4711);
    // An ordinary user who doesn't own these files.
    const prefix = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const commands = ['status', 'stop', 'reload'].map((each) =>
      cowherd([each, '--runtime-dir', runtimeDirectory], { prefix }),
    );
    for (const command of commands) {
      expect(await command.ended, command.stderr).toEqual({
        status: catalogue.RUNTIME_DIRECTORY_UNSAFE.exitStatus,
        signal: null,
      });
      expect(command.stderr).toContain(`${runtimeDirectory} belongs to user 4711`);
    }
    expect(heard).toEqual([]);
    mallory.close();
  });

  test("that is the user's own: the directory is root's, and closed to others", needs(ROOT_NEEDED), async () => {
    const folder = temporaryFolder();
    const prefix = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const status = cowherd(['status', '--runtime-dir', path.join(folder, 'run')], { prefix });
    await expectFailure(status, 'NOT_RUNNING', /run \(EACCES\)/);
  });
});

test('the command runs from any folder, and through a link', async () => {
  const folder = temporaryFolder();
  const link = path.join(folder, 'cowherd');
  execFileSync('ln', ['-s', COWHERD, link]);
  expect(execFileSync(link, ['--version'], { cwd: folder, encoding: 'utf8' })).toMatch(/^cowherd \d+\.\d+\.\d+\n$/);
  rmSync(folder, { recursive: true });
});
