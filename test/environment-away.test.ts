/** An installer takes the environment away for a while: the herd serves on, with workers that come up meanwhile, too. */
import { renameSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { PYTHON, serving, temporaryFolder } from './support/cowherd.ts';
import { fetchFrom } from './support/http.ts';
import { kill } from './support/processes.ts';
import { readyPids, untilReady } from './support/workers.ts';

const WORKERS = 2;
const HELLO = `
def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]

async def asgi(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError(scope["type"])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"hello"})
`;
const CLASSES = [
  ['sync', 'wsgi'],
  ['gthread', 'wsgi'],
  ['gevent', 'wsgi'],
  ['asgi', 'asgi'],
  ['uvicorn_worker.UvicornWorker', 'asgi'],
] as const;

describe.each(CLASSES)('%s', (worker, app) => {
  test('answers its first request, and serves with a new worker', async () => {
    const environment = path.join(temporaryFolder(), 'venv');
    symlinkSync(path.dirname(path.dirname(PYTHON)), environment);
    const run = await serving([`hello:${app}`, '--workers', String(WORKERS), '--worker-class', worker], {
      files: { 'hello.py': HELLO },
      python: path.join(environment, 'bin', 'python'),
    });
    const [address = ''] = run.addresses;
    const before = await readyPids(run);

    renameSync(environment, `${environment}.away`);
    try {
      expect((await fetchFrom(address, '/')).text).toBe('hello');
      kill(before);
      expect(await untilReady(run, WORKERS, before)).toHaveLength(WORKERS);
      for (let sent = 0; sent < 2 * WORKERS; sent++) expect((await fetchFrom(address, '/')).text).toBe('hello');
    } finally {
      renameSync(`${environment}.away`, environment);
    }
    await run.stop();
  });
});
