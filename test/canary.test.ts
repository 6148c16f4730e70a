/** A child of a new mold is tested before the mold gets traffic. A bad mold doesn't harm the herd. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { APPS, serve, serving, type Run } from './support/cowherd.ts';
import { until } from './support/until.ts';

/** Answers /healthz with `HEALTH`, and everything else with `TEXT`. */
const app = (text: string, health = '200 OK'): string => `
import os
def app(environ, start_response):
    if environ["PATH_INFO"] == "/healthz":
        start_response(${JSON.stringify(health)}, [])
        return [b""]
    start_response("200 OK", [])
    return [b"${text}"]
`;

async function reload(run: Run): Promise<string | null> {
  const before = (await run.status()).herd.last_rollout?.to ?? 1;
  run.signal('SIGHUP');
  const ended = await until('the reload has ended', async () => {
    const { herd } = await run.status();
    return herd.last_rollout !== null && herd.rollout === null && herd.last_rollout.to > before
      ? herd.last_rollout
      : null;
  });
  return ended.failure;
}

function write(run: Run, name: string, text: string): void {
  writeFileSync(path.join(run.folder, name), text);
}

describe('at a reload', () => {
  test('an unhealthy generation does not replace the one that serves', async () => {
    const run = await serving(['shop:app', '--health', 'GET /healthz', '--policy', 'freeze', '--workers', '2'], {
      files: { 'shop.py': app('first') },
    });
    expect(run.messages.some((message) => message.startsWith('a canary passed all checks'))).toBe(true);
    const failures = [
      ['503 Service Unavailable', 'CANARY_FAILED: the canary failed to answer GET /healthz: RuntimeError: status 503'],
      ['500 Internal Server Error', 'status 500'],
      ['404 Not Found', 'status 404'],
    ] as const;
    for (const [status, reason] of failures) {
      write(run, 'shop.py', app('second', status));
      expect(await reload(run)).toContain(reason);
      expect((await run.get('/')).text).toBe('first');
      expect((await run.status()).herd.generation).toBe(1);
    }
    write(run, 'shop.py', `${app('third')}\nthird = True\n`);
    expect(await reload(run)).toBeNull();
    expect((await run.get('/')).text).toBe('third');
    const { molds, herd } = await run.status();
    const mold = molds.find(({ generation }) => generation === herd.generation);
    expect(mold?.report['canary']).toEqual({ seconds: expect.any(Number), warning: null });
    await run.stop();
  });

  test('code that does not survive a fork is found, with and without a health request', async () => {
    const fragile = (broken: boolean): string => `
import os
from app import app
if ${broken ? 'True' : 'False'}:
    import socket
    mold, original = os.getpid(), socket.getaddrinfo
    def getaddrinfo(*arguments, **options):
        if os.getpid() != mold:
            os.abort()
        return original(*arguments, **options)
    socket.getaddrinfo = getaddrinfo
`;
    const run = await serving(['fragile:app', '--policy', 'freeze'], {
      files: { 'app.py': app('well'), 'fragile.py': fragile(false) },
    });
    // The first mold of a herd has no canary by default.
    expect((await run.status()).molds[0]?.report['canary']).toBeUndefined();
    write(run, 'fragile.py', fragile(true));
    expect(await reload(run)).toContain('the canary was killed by SIGABRT (while trying to resolve a name)');
    expect((await run.get('/')).text).toBe('well');
    await run.stop();
  });
});

test('at a refork, a worker that is no longer healthy does not become the mold', async () => {
  const worn = `
requests = 0
def app(environ, start_response):
    global requests
    requests += 1
    start_response("200 OK" if requests < 5 else "500 Worn out", [])
    return [b""]
`;
  const run = await serving(['worn:app', '--health', 'GET /', '--workers', '1', '--policy', 'freeze'], {
    files: { 'worn.py': worn },
  });
  await run.get('/');
  run.signal('SIGUSR2');
  const reforked = await until('the refork has ended', async () => (await run.status()).herd.last_rollout);
  expect(reforked).toMatchObject({ kind: 'refork', failure: null });
  const [mold] = (await run.status()).molds.slice(-1);
  expect(mold?.report['canary']).toBeDefined();
  for (let request = 0; request < 3; request += 1) await run.get('/');
  run.signal('SIGUSR2');
  const failed = await until('the next refork has ended', async () => {
    const { last_rollout: last } = (await run.status()).herd;
    return last !== null && last.to > reforked.to ? last : null;
  });
  expect(failed.failure).toContain('CANARY_FAILED: the canary failed to answer GET /');
  await run.stop();
});

describe('at the first start', () => {
  test('a canary that fails ends the server', async () => {
    const run = serve(['shop:app', '--health', 'GET /healthz'], { files: { 'shop.py': app('x', '500 No') } });
    expect(await run.ended).toEqual({ status: 45, signal: null });
    expect(run.stderr).toContain('CANARY_FAILED');
    expect(run.stderr).toContain('failed to answer GET /healthz: RuntimeError: status 500');
    await run.expectNothingLeft();
  });

  test('the request is answered as in a worker: after its hooks', async () => {
    const config = `
import os, shop
mold = None
def before_mold(server): shop.open = False
def after_fork(server, worker): note("after_fork", worker)
def post_fork(server, worker): note("post_fork", worker)
def post_worker_init(worker):
    assert worker.wsgi is not None
    shop.open = True
    note("post_worker_init", worker)
def note(name, worker):
    assert worker.pid == os.getpid()
    with open("hooks", "a") as file: file.write(f"{name} {os.getpid()}\\n")
`;
    const shop = `
open = False
def app(environ, start_response):
    start_response("200 OK" if open else "503 Closed", [])
    return [b""]
`;
    const run = await serving(['shop:app', '--health', 'GET /', '--workers', '1', '--env', 'SHOP=open'], {
      files: { 'shop.py': shop, 'gunicorn.conf.py': config },
    });
    const [worker] = await run.workers();
    const hooks = readFileSync(path.join(run.folder, 'hooks'), 'utf8').trim().split('\n');
    const [canary] = hooks[0]!.split(' ').slice(1);
    expect(hooks).toEqual(
      [canary, worker!.pid].flatMap((pid) =>
        ['after_fork', 'post_fork', 'post_worker_init'].map((it) => `${it} ${pid}`),
      ),
    );
    // Only requests of clients are counted.
    expect((await run.status()).herd.requests).toBe(0);
    await run.stop();
  });

  test('an ASGI application has been started up', async () => {
    const started = `
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
import contextlib

@contextlib.asynccontextmanager
async def lifespan(app):
    yield {"database": "open"}

async def healthz(request):
    return PlainTextResponse(request.state.database)

app = Starlette(routes=[Route("/healthz", healthz)], lifespan=lifespan)
`;
    const run = await serving(['shop:app', '-k', 'asgi', '--health', 'GET /healthz', '--policy', 'freeze'], {
      files: { 'shop.py': started },
    });
    expect((await run.status()).molds[0]?.report['canary']).toBeDefined();
    await run.stop();
  });

  test('a canary under gevent succeeds', async () => {
    const options = ['--chdir', APPS, '-k', 'gevent', '--health', 'GET /healthz', '--policy', 'freeze'];
    const run = await serving(['flask_app:app', ...options]);
    expect((await run.status()).molds[0]?.report['canary']).toBeDefined();
    await run.stop();
  });
});

describe('the database', () => {
  const site = (database: string): string => `
import sys
from django.conf import settings
from django.core.wsgi import get_wsgi_application
settings.configure(
    ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="x",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ${JSON.stringify(database)}}},
)
def healthz(request):
    from django.http import HttpResponse
    return HttpResponse("well")
from django.urls import path
urlpatterns = [path("healthz", healthz)]
app = get_wsgi_application()
`;

  test('that can be opened is opened, and one that cannot be opened anywhere is a warning', async () => {
    const files = { 'site_app.py': site('site.sqlite3') };
    const run = await serving(['site_app:app', '--health', 'GET /healthz', '--policy', 'freeze'], { files });
    expect(existsSync(path.join(run.folder, 'site.sqlite3'))).toBe(true);
    expect((await run.status()).molds[0]?.report['canary']).toMatchObject({ warning: null });
    write(run, 'site_app.py', `${site('/nowhere/site.sqlite3')}\nnowhere = True\n`);
    expect(await reload(run)).toBeNull();
    await run.waitForText(/Canary: neither workers nor the mold can open the database: OperationalError: unable/);
    expect((await run.get('/healthz')).text).toBe('well');
    await run.stop();
  });

  test('that only the mold can open is blamed on the fork', async () => {
    const locked = `${site('site.sqlite3')}
import os
from django.db.backends.signals import connection_created
mold = os.getpid()
def refuse(**_):
    if os.getpid() != mold:
        raise RuntimeError("not in a fork")
connection_created.connect(refuse)
`;
    const run = serve(['site_app:app', '--health', 'GET /healthz'], { files: { 'site_app.py': locked } });
    expect((await run.ended).status).toBe(45);
    expect(run.stderr).toContain('which the mold can open: RuntimeError: not in a fork');
    await run.expectNothingLeft();
  });
});
