/** Clients that a worker has used don't keep it from becoming a mold: their connections are closed and opened again. */
import { createServer, type Server } from 'node:http';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serving } from './support/cowherd.ts';

let server: Server;
let port = 0;
const connections = new Set<string>();

beforeAll(async () => {
  server = createServer((request, response) => {
    connections.add(`${request.socket.remotePort}`);
    response.end(`echo of ${request.url}`);
  });
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const app = (): string => `
import http.client, logging, logging.handlers, os, queue, threading
from concurrent.futures import ThreadPoolExecutor
import sqlalchemy, urllib3

manager = urllib3.PoolManager()
connection = http.client.HTTPConnection("127.0.0.1", ${port})
pool = ThreadPoolExecutor(2)
engine = sqlalchemy.create_engine("sqlite:///shop.sqlite3")
in_memory = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.pool.StaticPool)
records = queue.SimpleQueue()
listener = logging.handlers.QueueListener(records, logging.FileHandler("shop.log"))
listener.start()
log = logging.getLogger("shop")
log.setLevel("INFO")
log.addHandler(logging.handlers.QueueHandler(records))
with in_memory.begin() as database:
    database.execute(sqlalchemy.text("CREATE TABLE item AS SELECT 7 AS price"))

def answer(path):
    log.info("asked for %s", path)
    connection.request("GET", "/direct" + path)
    with engine.begin() as database:
        database.execute(sqlalchemy.text("CREATE TABLE IF NOT EXISTS visit (path)"))
        database.execute(sqlalchemy.text("INSERT INTO visit VALUES (:path)"), {"path": path})
    with in_memory.connect() as database:
        price = database.execute(sqlalchemy.text("SELECT price FROM item")).scalar()
    pooled = manager.request("GET", f"http://127.0.0.1:${port}/pooled{path}").data.decode()
    direct = connection.getresponse().read().decode()
    return f"{pooled}, {direct}, {sum(pool.map(int, '123'))}, {price}"

answer("/import")

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [answer(environ["PATH_INFO"]).encode()]
`;

const expected = (page: string): string => `echo of /pooled${page}, echo of /direct${page}, 6, 7`;

test('used when the application is loaded, in requests, and after a refork', async () => {
  connections.clear();
  const run = await serving(['shop:app', '--workers', '3'], { files: { 'shop.py': app() } });
  expect(run.log.filter(({ level }) => level === 'warning')).toEqual([]);
  const asked = ['/import'];
  const ask = async (from: number): Promise<void> => {
    for (let number = from; number < from + 30; number += 1) {
      asked.push(`/${number}`);
      expect((await run.get(`/${number}`)).text).toBe(expected(`/${number}`));
    }
  };
  await ask(0);
  const refork = await run.command('refork', '--runtime-dir', run.runtimeDirectory);
  expect(refork.stdout).toContain('Generation 2 serves');
  await ask(30);
  const closed = run.messages.filter((message) => message.startsWith('closed before the fork'));
  expect(closed).toEqual([
    'closed before the fork: idle threads of pools, SQLAlchemy engines, urllib3 pools, HTTP connections',
  ]);
  expect(run.log.filter(({ level }) => level === 'warning')).toEqual([]);
  await run.stop();
  // Each record is there once: neither lost with a thread nor written by two processes.
  const logged = readFileSync(path.join(run.folder, 'shop.log'), 'utf8').trim().split('\n');
  expect(logged.toSorted()).toEqual(asked.map((page) => `asked for ${page}`).toSorted());
});
