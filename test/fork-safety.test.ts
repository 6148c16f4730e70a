/** Resources of a mold that its workers must not share are reported, with a remedy. Harmless ones are not. */
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { APPS, serve, serving, temporaryFolder, type Run } from './support/cowherd.ts';
import { FEED, prepareFeed } from './support/feed.ts';

interface ForkSafety {
  seconds: number;
  findings: { kind: string; what: string; remedy: string }[];
}

let folder = '';
let feed: Record<string, string> = {};
beforeAll(() => {
  folder = temporaryFolder();
  feed = prepareFeed(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function forkSafety(run: Run): Promise<ForkSafety> {
  const { molds } = await run.status();
  return molds[0]?.report['fork_safety'] as ForkSafety;
}

/** An application that opens at import one of everything that a fork must not share, and harmless things too. */
const CARELESS = `
import asyncio, fcntl, logging, os, socket, sqlite3, threading

server = socket.create_server(("127.0.0.1", 0))

class Pool:
    def __init__(self):
        self.free = [socket.create_connection(server.getsockname())]

pool = Pool()
database = sqlite3.connect("shop.sqlite3")
database.execute("create table shop (name text)")
database.commit()
loop = asyncio.new_event_loop()
lock = threading.RLock()
lock.acquire()
handler = logging.StreamHandler()
handler.acquire()
lock_file = open("shop.lock", "w")
fcntl.flock(lock_file, fcntl.LOCK_EX)
threading.Thread(target=threading.Event().wait, name="flusher", daemon=True).start()

# Harmless.
in_memory = sqlite3.connect(":memory:")
in_memory.execute("create table t (a)")
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.connect(("127.0.0.1", 9))
pair = socket.socketpair()
closed = socket.create_connection(server.getsockname())
closed.close()
free_lock = threading.Lock()
log_file = open("shop.log", "a")
reading = open("read-only.sqlite3", "w+b")
reading.write(b"SQLite format 3\\0")
reading.close()
reading = open("read-only.sqlite3", "rb")

def close_all():
    for each in (server, pool.free[0], database, loop, lock_file):
        each.close()
    lock.release()
    handler.release()

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"well"]
`;

describe('a careless application', () => {
  test('gets a report of everything, by type and place', async () => {
    const run = await serving(['careless:app'], { files: { 'careless.py': CARELESS } });
    const { findings } = await forkSafety(run);
    const told = findings.map(({ kind, what }) => `${kind}: ${what.replaceAll(/:\d{4,}/g, ':PORT')}`);
    expect(told.toSorted()).toEqual([
      `database: SQLite database ${path.join(run.folder, 'shop.sqlite3')} is open (held in careless.database, careless.in_memory)`,
      'event loop: asyncio.unix_events._UnixSelectorEventLoop that is not closed',
      `file lock: FLOCK lock on ${path.join(run.folder, 'shop.lock')}`,
      'lock: careless.lock is a held lock',
      'lock: the lock of the log handler <StreamHandler <stderr> (NOTSET)> is a held lock',
      'socket: TCP connection to 127.0.0.1:PORT, of careless.Pool in careless.pool.free[…]',
      'socket: TCP socket that listens on 127.0.0.1:PORT, in careless.server',
      `thread: thread 'flusher', which runs threading.Event.wait, started at ${path.join(run.folder, 'careless.py')}:21,` +
        ' runs in the mold, and in no worker',
    ]);
    const warnings = run.log.filter(({ msg, level }) => msg.startsWith('Fork safety: ') && level === 'warning');
    expect(warnings.map(({ msg }) => msg)).toEqual(
      findings.map(({ what, remedy }) => `Fork safety: ${what}; ${remedy}`),
    );
    await run.stop();
  });

  test('that closes everything in before_mold gets none', async () => {
    const config = `
import os
def note(name, *arguments):
    with open("hooks", "a") as file:
        file.write(f"{name} {os.getpid()}\\n")
def before_mold(server):
    import careless
    careless.close_all()
    assert server.cfg.workers == 1 and server.WORKERS == {}
    note("before_mold")
def after_fork(server, worker):
    assert worker.pid == os.getpid() and server.log is not None
    note("after_fork")
def post_fork(server, worker):
    note("post_fork")
`;
    const files = {
      'careless.py': CARELESS.replace(/^threading.Thread.*$/m, ''),
      'gunicorn.conf.py': config,
    };
    const run = await serving(['careless:app'], { files });
    expect((await forkSafety(run)).findings).toEqual([]);
    expect(run.messages.filter((message) => message.includes('Fork safety'))).toEqual([]);
    const { molds, workers } = await run.status();
    const [mold, worker] = [molds[0]!.pid, workers[0]!.pid];
    expect(readFileSync(path.join(run.folder, 'hooks'), 'utf8')).toBe(
      `before_mold ${mold}\nafter_fork ${worker}\npost_fork ${worker}\n`,
    );
    await run.stop();
  });

  test('whose before_mold fails does not start', async () => {
    const config = 'def before_mold(server):\n    raise RuntimeError("it is stuck")\n';
    const files = { 'careless.py': CARELESS.replace(/^threading.Thread.*$/m, ''), 'gunicorn.conf.py': config };
    const run = serve(['careless:app'], { files });
    expect((await run.ended).status).toBe(8);
    expect(run.stderr).toContain('HOOK_FAILED');
    expect(run.stderr).toContain('RuntimeError: it is stuck');
    await run.expectNothingLeft();
  });
});

test.each([
  { name: 'Flask under gthread', app: 'flask_app:app', chdir: APPS, path: '/', worker: ['gthread', '--threads', '2'] },
  { name: 'Flask under gevent', app: 'flask_app:app', chdir: APPS, path: '/', worker: ['gevent'] },
  {
    name: 'Starlette under uvicorn',
    app: 'starlette_app:app',
    chdir: APPS,
    path: '/',
    worker: ['uvicorn_worker.UvicornWorker'],
  },
  { name: 'Django', app: 'feed.wsgi:application', chdir: FEED, path: '/healthz', worker: ['sync'] },
  { name: 'Django, ASGI', app: 'feed.asgi:application', chdir: FEED, path: '/healthz', worker: ['asgi'] },
])('$name raises no false alarm, warmed up', async ({ app, chdir, path: pathname, worker }) => {
  const options = ['--chdir', chdir, '--workers', '1', '--policy', 'freeze', '--warmup', `GET ${pathname}`];
  const run = await serving([app, ...options, '--worker-class', ...worker], { env: feed });
  const { findings } = await forkSafety(run);
  expect(findings).toEqual([]);
  await run.stop();
});

const STRANGE = `
import sys, types, importlib.util

class Library:
    """As cffi's: it says that it is a module, and has no namespace."""
    __slots__ = ()
    @property
    def __class__(self): return types.ModuleType

class Hostile:
    def __getattribute__(self, name): raise RuntimeError(f"{name} was asked for")
    def __eq__(self, other): raise RuntimeError("compared")
    def __hash__(self): raise RuntimeError("hashed")
    def __bool__(self): raise RuntimeError("asked for its truth")

sys.modules["library.lib"] = Library()
sys.modules["hostile"] = hostile = Hostile()
kept = [hostile]

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"well"]
`;

test.each(['auto', 'stock'])('false modules in sys.modules keep no application from starting (%s)', async (policy) => {
  const options = ['--policy', policy, '--workers', '2'];
  const run = await serving(['strange:app', ...options], { files: { 'strange.py': STRANGE } });
  expect((await run.get('/')).text).toBe('well');
  expect(run.log.filter(({ level }) => level !== 'info')).toEqual([]);
  await run.command('reload', '--runtime-dir', run.runtimeDirectory);
  await run.command('refork', '--runtime-dir', run.runtimeDirectory);
  expect((await run.get('/')).text).toBe('well');
  await run.stop();
});

test('a check that fails is a warning, with its traceback at debug level, and the herd serves', async () => {
  // The check for locks reads this attribute of each log handler.
  const app = `
import logging
class Handler(logging.Handler):
    @property
    def lock(self): raise RuntimeError("it is stuck")
    @lock.setter
    def lock(self, value): pass
handler = Handler()

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"well"]
`;
  const run = await serving(['stuck:app', '--log-level', 'debug'], { files: { 'stuck.py': app } });
  expect((await run.get('/')).text).toBe('well');
  const told = run.log.filter(({ level }) => level === 'warning').map(({ msg }) => msg);
  expect(told).toEqual([
    expect.stringMatching(/^Fork safety: the check for locks failed \(RuntimeError: it is stuck\); .*report it/),
  ]);
  const traceback = run.log.find(({ msg, level }) => level === 'debug' && msg.includes('it is stuck'));
  expect(traceback?.msg).toContain('stuck.py');
  await run.stop();
});

test('strict turns a finding into an error', async () => {
  const files = { 'careless.py': CARELESS.replace(/^threading.Thread.*$/m, '') };
  const run = serve(['careless:app', '--strict'], { files });
  expect((await run.ended).status).toBe(42);
  expect(run.stderr).toContain('careless.lock is a held lock');
  await run.expectNothingLeft();
});

test('the check does not change the process: descriptors stay blocking and open', async () => {
  const app = `
import os, socket
socket.setdefaulttimeout(5)
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
os.set_blocking(client.fileno(), True)

def app(environ, start_response):
    start_response("200 OK", [])
    return [f"{os.get_blocking(client.fileno())} {client.getpeername()[0]}".encode()]
`;
  const run = await serving(['kept:app'], { files: { 'kept.py': app } });
  expect((await forkSafety(run)).findings.length).toBe(2);
  expect((await run.get('/')).text).toBe('True 127.0.0.1');
  await run.stop();
});
