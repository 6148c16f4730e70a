/** TLS as in gunicorn, in every worker class: certificates, the hook that makes the context, client certificates. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  Authority,
  fetchSecurely,
  OPENSSL_NEEDED,
  type SecureAnswer,
  type SecureOptions,
} from './support/certificates.ts';
import { serving, temporaryFolder, type Run } from './support/cowherd.ts';
import { Load } from './support/load.ts';
import { needs } from './support/needs.ts';
import { until } from './support/until.ts';

/** `/slow` waits for a file, then answers like the other paths. */
const WSGI = `
import os, time
def app(environ, start_response):
    while environ["PATH_INFO"] == "/slow" and not os.path.exists("go-on"):
        time.sleep(0.02)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ['wsgi.url_scheme']} {os.getpid()}".encode()]
`;
const ASGI = `
import asyncio, os
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError("http only")
    while scope["path"] == "/slow" and not os.path.exists("go-on"):
        await asyncio.sleep(0.02)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": f"{scope['scheme']} {os.getpid()}".encode()})
`;

const hooked = [
  { name: 'sync', args: ['wsgi_app:app'] },
  { name: 'gthread', args: ['wsgi_app:app', '-k', 'gthread', '--threads', '4'] },
  { name: 'gevent', args: ['wsgi_app:app', '-k', 'gevent'] },
  { name: 'asgi', args: ['asgi_app:app', '-k', 'asgi'] },
];
// uvicorn's worker class makes its own context, without the hook.
const classes = [...hooked, { name: 'uvicorn', args: ['asgi_app:app', '-k', 'uvicorn_worker.UvicornWorker'] }];

/** A TLS alert, or the end of the connection if the server closed it before the alert was read. */
const REFUSED = /alert|socket hang up|disconnected|ECONNRESET|EPIPE/;

describe('TLS', needs(OPENSSL_NEEDED), () => {
  let authority: Authority;

  beforeAll(() => {
    authority = new Authority(temporaryFolder());
    for (const name of ['first', 'second', 'client']) authority.sign(name);
    authority.sign('live');
    authority.sign('renewed', 'live');
  });

  async function start(args: readonly string[], config: string): Promise<Run> {
    return await serving([...args, '--workers', '2', '--graceful-timeout', '60', '-c', 'gunicorn.conf.py'], {
      files: { 'wsgi_app.py': WSGI, 'asgi_app.py': ASGI, 'gunicorn.conf.py': config },
    });
  }

  function certified(name: string, key = name): string {
    return `certfile = "${authority.file(`${name}.pem`)}"\nkeyfile = "${authority.file(`${key}.key`)}"\n`;
  }

  function fetchFrom(run: Run, pathname = '/', options: Partial<SecureOptions> = {}): Promise<SecureAnswer> {
    return fetchSecurely(run.address, pathname, { authority, ...options });
  }

  /** Sends a request that waits in a worker until `goOn`. */
  async function waiting(run: Run): Promise<{ answer: Promise<SecureAnswer>; pid: number }> {
    const answer = fetchFrom(run, '/slow');
    // Awaited later; a rejection until then must not count as unhandled.
    answer.catch(() => {});
    const pid = await until('a worker has it', async () => {
      const busy = (await run.workers()).find((worker) => worker.in_flight > 0);
      return busy?.pid;
    });
    return { answer, pid };
  }

  /** Waits, because workers of gevent and asgi check once a second whether to leave, and accept until then. */
  async function untilOnly(run: Run, name: string, options: Partial<SecureOptions> = {}): Promise<void> {
    const seen = async (): Promise<Set<string>> => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => fetchFrom(run, '/', options)));
      return new Set(answers.map(({ server }) => server));
    };
    await until(`all have the certificate ${name}`, async () => {
      const names = await seen();
      return names.size === 1 && names.has(name);
    });
  }

  function goOn(run: Run): void {
    writeFileSync(path.join(run.folder, 'go-on'), '');
  }

  test.each(classes)('a renewed certificate comes with a reload, and no request is lost ($name)', async ({ args }) => {
    const run = await start(args, certified('first'));
    expect(await fetchFrom(run)).toMatchObject({ status: 200, server: 'first' });
    expect((await fetchFrom(run)).text).toMatch(/^https \d+$/);
    // A client without TLS gets no answer from the application.
    expect(
      await run.get('/').then(
        ({ status }) => status < 400,
        () => false,
      ),
    ).toBe(false);

    const { answer, pid } = await waiting(run);
    const load = new Load({ get: (pathname) => fetchFrom(run, pathname) }, '/', 3, 10);
    writeFileSync(path.join(run.folder, 'gunicorn.conf.py'), certified('second'));
    await run.command('reload', '--runtime-dir', run.runtimeDirectory);
    await untilOnly(run, 'second');
    goOn(run);
    expect(await answer).toMatchObject({ status: 200, server: 'first', text: `https ${pid}` });
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.answered).toBeGreaterThan(0);
    await run.stop();
  });

  test('so does one that replaces the old file, as certbot does it', async () => {
    const run = await start(['wsgi_app:app', '-k', 'gthread', '--threads', '4'], certified('live'));
    const load = new Load({ get: (pathname) => fetchFrom(run, pathname) }, '/', 3, 10);
    authority.replace('live', 'renewed');
    await run.command('reload', '--runtime-dir', run.runtimeDirectory);
    await untilOnly(run, 'renewed');
    await load.stop();
    expect(load.failures).toEqual([]);
    await run.stop();
  });

  test('a reload to a certificate that is not there leaves the old one serving', async () => {
    const run = await start(['wsgi_app:app'], certified('first'));
    writeFileSync(path.join(run.folder, 'gunicorn.conf.py'), certified('nothing'));
    run.signal('SIGHUP');
    await run.waitForText(/Reload to generation 2 failed: .*nothing\.pem/);
    expect((await fetchFrom(run)).server).toBe('first');
    await run.stop();
  });

  test.each(classes)(
    'at a stop connected clients are answered, and later ones are refused ($name)',
    async ({ args }) => {
      const run = await start(args, certified('first'));
      const { answer } = await waiting(run);
      const lost: string[] = [];
      let answered = 0;
      const client = async (): Promise<void> => {
        while (run.ending === null) {
          try {
            expect((await fetchFrom(run)).status).toBe(200);
            answered += 1;
          } catch (error) {
            lost.push(error instanceof Error && 'code' in error ? String(error.code) : String(error));
            await sleep(10);
          }
        }
      };
      const clients = Array.from({ length: 6 }, client);
      await until('they are answered', () => answered > 60);
      expect(lost).toEqual([]);
      run.signal('SIGTERM');
      await until('it stops', async () => (await run.status()).herd.phase === 'stopping');
      goOn(run);
      expect(await run.ended, run.stderr).toEqual({ status: 0, signal: null });
      expect((await answer).status).toBe(200);
      await Promise.all(clients);
      expect(lost.filter((code) => code !== 'ECONNREFUSED')).toEqual([]);
      expect(run.messages.filter((message) => message.includes('cut'))).toEqual([]);
      await run.expectNothingLeft();
    },
  );

  test.each(hooked)(
    'the hook makes the context, and clients need a certificate from the authority ($name)',
    async ({ args }) => {
      const context = (name: string): string =>
        `${certified(name)}ca_certs = "${authority.file('authority.pem')}"\ncert_reqs = 2\n` +
        'def ssl_context(config, default_ssl_context_factory):\n' +
        '    import ssl\n' +
        '    context = default_ssl_context_factory()\n' +
        '    context.minimum_version = ssl.TLSVersion.TLSv1_3\n' +
        '    return context\n';
      const run = await start(args, context('first'));
      const client = 'client';
      const known = { status: 200, server: 'first', protocol: 'TLSv1.3' };
      expect(await fetchFrom(run, '/', { client })).toMatchObject(known);
      // Refused: no certificate, a certificate from another authority, an older TLS.
      const stranger = new Authority(temporaryFolder());
      stranger.sign(client);
      const refused: Partial<SecureOptions>[] = [
        {},
        { client, clientsAuthority: stranger },
        { client, maxVersion: 'TLSv1.2' },
      ];
      for (const options of refused) await expect(fetchFrom(run, '/', options)).rejects.toThrow(REFUSED);
      // The refusals have no effect on other clients.
      const load = new Load({ get: (pathname) => fetchFrom(run, pathname, { client }) }, '/', 2, 10);
      writeFileSync(path.join(run.folder, 'gunicorn.conf.py'), context('second'));
      await run.command('reload', '--runtime-dir', run.runtimeDirectory);
      await untilOnly(run, 'second', { client });
      await expect(fetchFrom(run)).rejects.toThrow(REFUSED);
      await load.stop();
      expect(load.failures).toEqual([]);
      expect(run.messages.filter((message) => /died|Crash loop|was ended by/.test(message))).toEqual([]);
      await run.stop();
    },
  );
});
