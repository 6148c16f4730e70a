/**
 * Clients of real servers, used while the application is loaded, in requests, and after a reload and a refork: no
 * connection is used by two processes, no request gets another one's answer, and no connection stays open.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missing, Services } from '../compatibility/packages/services.ts';
import { cowherd, PYTHON, serving, temporaryFolder, type Run } from './support/cowherd.ts';
import { needs } from './support/needs.ts';
import { BEST } from './support/this-python.ts';
import { until } from './support/until.ts';
import { untilReady } from './support/workers.ts';

const ITEMS = 2000;

/** A psycopg connection. psycopg must be its C version, so that the rows are made by C code. */
const CONNECT = `
import os
import psycopg
assert psycopg.pq.__impl__ == "binary"
SERVER = f"host=127.0.0.1 port={os.environ['COWHERD_POSTGRESQL_PORT']} user=cowherd dbname=postgres"
connection = None

def connect():
    global connection
    connection = psycopg.connect(SERVER, autocommit=True, application_name="shop")
`;

const FILL = `${CONNECT}
import redis
connect()
connection.execute("CREATE TABLE item (id int PRIMARY KEY, name text, price numeric(10, 2), about jsonb)")
with connection.cursor().copy("COPY item FROM STDIN") as copy:
    for number in range(${ITEMS}):
        copy.write_row((number, f"item {number}", number / 100, '{"of": [%d]}' % number))
cache = redis.Redis(port=int(os.environ["COWHERD_REDIS_PORT"]))
cache.mset({f"item:{number}": f"item {number}" for number in range(${ITEMS})})
`;

/** Each answer has the data of one item from every client, and the connections that the data came from. */
const SHOP = `${CONNECT}
import json, threading
import redis, sqlalchemy
lock = threading.Lock()
engine = sqlalchemy.create_engine(
    "postgresql+psycopg://",
    creator=lambda: psycopg.connect(SERVER, application_name="shop"),
    pool_size=3,
    max_overflow=3,
)
cache = redis.Redis(port=int(os.environ["COWHERD_REDIS_PORT"]), client_name="shop")
query = sqlalchemy.text("SELECT name, pg_backend_pid() AS backend, pg_sleep(0.003) FROM item WHERE id = :id")

def ask(number):
    with lock:
        own = connection.execute("SELECT name, pg_backend_pid() FROM item WHERE id = %s", (number,)).fetchone()
    with engine.begin() as database:
        pooled = database.execute(query, {"id": number}).one()
    with cache.pipeline(transaction=False) as pipe:
        cached, redis_id = pipe.get(f"item:{number}").client_id().execute()
    return {
        "pid": os.getpid(),
        "names": [own[0], pooled.name, cached.decode(), rows[number][1], f"item {rows[number][3]['of'][0]}"],
        "connections": [f"own {own[1]}", f"pooled {pooled.backend}", f"redis {redis_id}"],
    }

# All of it is used while the application is loaded.
connect()
rows = connection.execute("SELECT id, name, price, about FROM item ORDER BY id").fetchall()
ask(7)

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(ask(int(environ["PATH_INFO"].strip("/")))).encode()]
`;

/** Only psycopg needs hooks; Redis and SQLAlchemy don't. */
const HOOKS = `
def before_mold(server):
    import shop
    shop.connection.close()

def after_fork(server, worker):
    import shop
    shop.connect()
`;

const absent = [missing('postgresql'), missing('redis')].flatMap((each) => (each === null ? [] : [each.install]));
const SERVERS_NEEDED = absent.length === 0 ? null : `needs PostgreSQL and Redis: ${absent.join('; ')}`;

interface Told {
  readonly pid: number;
  readonly names: readonly string[];
  readonly connections: readonly string[];
}

/** Which process uses which connection, collected from the answers. */
class Connections {
  readonly owners = new Map<string, number>();
  asked = 0;

  /**
   * Sends requests in parallel. Expects that all answers are right, and that no connection is used by two processes.
   */
  async ask(run: Run, requests: number): Promise<void> {
    const one = async (): Promise<void> => {
      const number = (this.asked * 37) % ITEMS;
      this.asked += 1;
      const answer = await run.get(`/${number}`);
      expect(answer.status, answer.text).toBe(200);
      const { pid, names, connections } = JSON.parse(answer.text) as Told;
      expect(new Set(names)).toEqual(new Set([`item ${number}`]));
      for (const connection of connections) {
        expect(this.owners.get(connection) ?? pid, connection).toBe(pid);
        this.owners.set(connection, pid);
      }
    };
    const client = async (): Promise<void> => {
      for (let request = 0; request < requests / 10; request += 1) await one();
    };
    await Promise.all(Array.from({ length: 10 }, client));
  }

  /** The connections of these processes. */
  of(pids: readonly number[]): Set<string> {
    return new Set([...this.owners].filter(([, pid]) => pids.includes(pid)).map(([connection]) => connection));
  }
}

describe('PostgreSQL and Redis', needs(SERVERS_NEEDED), () => {
  let services: Services;
  let env: Record<string, string> = {};

  beforeAll(async () => {
    const folder = temporaryFolder();
    // PostgreSQL runs as another user.
    chmodSync(folder, 0o755);
    services = new Services(folder);
    env = await services.environmentFor(['postgresql', 'redis']);
    execFileSync(PYTHON, ['-c', FILL], { env: { ...process.env, ...env } });
  });
  afterAll(async () => {
    await services.stop();
  });

  /** The connections from the application that the servers report, by the servers' numbers. */
  function open(): string[] {
    const { COWHERD_POSTGRESQL_PORT: postgresql = '', COWHERD_REDIS_PORT: redis = '' } = env;
    const statement = "SELECT pid FROM pg_stat_activity WHERE application_name = 'shop'";
    const args = ['-h', '127.0.0.1', '-p', postgresql, '-U', 'cowherd', '-d', 'postgres', '-qAtc', statement];
    const backends = execFileSync('psql', args, { encoding: 'utf8' }).split('\n').filter(Boolean);
    const list = execFileSync('redis-cli', ['-p', redis, 'client', 'list'], { encoding: 'utf8' });
    const clients = [...list.matchAll(/^id=(\d+) .*\bname=shop\b/gm)].map(([, id]) => `redis ${id}`);
    return [...backends.map((backend) => `backend ${backend}`), ...clients];
  }

  async function untilOpen(what: string, isSo: (connections: readonly string[]) => boolean): Promise<void> {
    await until(
      () => `${what}: ${open().join(', ')}`,
      () => isSo(open()),
    );
  }

  test.each([
    { worker: 'sync', args: [] },
    { worker: 'gthread', args: ['--threads', '4'] },
  ])('clients that the application has used before the fork ($worker)', async ({ worker, args }) => {
    const run = await serving(['shop:app', '--workers', '3', '-k', worker, ...args, '-c', 'gunicorn.conf.py'], {
      files: { 'shop.py': SHOP, 'gunicorn.conf.py': HOOKS },
      env,
    });
    // The rows that the mold keeps were made by psycopg's C code; each request reads one of them.
    expect((await run.status()).herd.policy).toBe(BEST);
    const connections = new Connections();
    /** Every open connection belongs to a worker: the mold has kept none. */
    const onlyOfWorkers = async (): Promise<void> => {
      const pids = await untilReady(run, 3);
      const known = new Set([...connections.of(pids)].map((each) => each.replace(/^(own|pooled)/, 'backend')));
      await untilOpen('only workers have connections', (all) => all.every((each) => known.has(each)));
    };
    await connections.ask(run, 200);
    expect(new Set(connections.owners.values()).size).toBe(3);
    await onlyOfWorkers();
    for (const exchange of ['reload', 'refork']) {
      await Promise.all([connections.ask(run, 200), run.command(exchange, '--runtime-dir', run.runtimeDirectory)]);
      await connections.ask(run, 200);
      await onlyOfWorkers();
    }
    expect(new Set(connections.owners.values()).size).toBeGreaterThanOrEqual(9);
    expect((await run.status()).herd.requests).toBe(connections.asked);
    expect(run.log.filter(({ level }) => level === 'warning' || level === 'error')).toEqual([]);
    await run.stop();
    await untilOpen('nothing is open', (all) => all.length === 0);
  });

  test('a connection that is left open at the fork is named, with its holder', async () => {
    const app = `${CONNECT}
def app(environ, start_response):
    if connection is None:
        connect()
    (backend,) = connection.execute("SELECT pg_backend_pid()").fetchone()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{backend} {os.getpid()}".encode()]
`;
    const named = new RegExp(
      String.raw`TCP connection to 127\.0\.0\.1:${env['COWHERD_POSTGRESQL_PORT']}.*, of psycopg\.Connection in shop\.connection`,
    );
    const files = { 'shop.py': `${app}\nconnect()\n` };
    const strict = cowherd(['serve', '--python', PYTHON, '--bind', '127.0.0.1:0', '--strict', 'shop:app'], {
      files,
      env,
    });
    expect((await strict.ended).status).not.toBe(0);
    expect(strict.stderr).toMatch(named);

    // A connection opened by the first request belongs to one worker. But a worker that has one can't become a mold.
    const run = await serving(['shop:app', '--workers', '2'], { files: { 'shop.py': app }, env });
    const answers = await Promise.all(Array.from({ length: 20 }, async () => (await run.get('/')).text));
    const backends = new Map(answers.map((text) => text.split(' ') as [string, string]));
    expect(new Set(answers).size).toBe(backends.size);
    const refork = cowherd(['refork', '--runtime-dir', run.runtimeDirectory]);
    expect((await refork.ended).status).toBe(37);
    expect(refork.stderr).toMatch(/FORK_UNSAFE/);
    expect(refork.stderr).toMatch(named);
    await untilReady(run, 2);
    expect((await run.get('/')).status).toBe(200);
    await run.stop();
    await untilOpen('nothing is open', (all) => all.length === 0);
  });
});
