import { expect, test } from 'vitest';
import type { Application, Site } from './description.ts';
import { COWHERD } from './places.ts';
import { commandOf, environmentFor } from './servers.ts';

const application: Application = {
  name: 'shop',
  title: 'Shop',
  python: '3.13',
  requirements: ['shop'],
  services: [],
  environment: ({ port }) => ({ SHOP_PORT: String(port), LANG: 'de_DE.UTF-8' }),
  filling: () => [],
  module: 'shop:app',
  serverArguments: ['--threads', '3'],
  workers: 4,
  readyPath: '/',
  startPaths: ['/'],
  crawlLimit: 10,
  act: async () => {},
  loadPerSecond: 5,
};
const site: Site = {
  folder: '/site',
  port: 8000,
  program: (name) => `/env/bin/${name}`,
  packages: '/env/lib',
  postgresql: null,
  redis: null,
  collector: null,
};

test('gunicorn and Cowherd get the same arguments', () => {
  const shared = ['shop:app', '--bind', '127.0.0.1:8000', '--workers', '4', '--timeout', '120', '--threads', '3'];
  expect(commandOf('gunicorn', application, site, '/run')).toEqual({
    command: '/env/bin/gunicorn',
    args: [...shared, '--preload'],
  });
  const cowherd = commandOf('cowherd', application, site, '/run');
  expect(cowherd.command).toBe(COWHERD);
  expect(cowherd.args.slice(0, shared.length + 1)).toEqual(['serve', ...shared]);
  expect(cowherd.args.slice(shared.length + 1)).toEqual([
    '--python',
    '/env/bin/python',
    '--runtime-dir',
    '/run',
    '--log-format',
    'json',
  ]);
});

test('a launcher stands in front of both', () => {
  const launched = { ...application, launcher: 'instrument' };
  for (const kind of ['gunicorn', 'cowherd'] as const) {
    const plain = commandOf(kind, application, site, '/run');
    const { command, args } = commandOf(kind, launched, site, '/run');
    expect(command).toBe('/env/bin/instrument');
    expect(args).toEqual([plain.command, ...plain.args]);
  }
});

test('an application finds a home of its own, and its own word holds', () => {
  expect(environmentFor(application, site)).toMatchObject({
    HOME: '/site',
    PATH: '/env/bin:/usr/local/bin:/usr/bin:/bin',
    VIRTUAL_ENV: '/env',
    SHOP_PORT: '8000',
    LANG: 'de_DE.UTF-8',
  });
});
