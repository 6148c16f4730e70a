/**
 * gunicorn 23 up to the newest. Each release is installed once, into .cache/, and put on the path before the checkout's
 * own gunicorn, which is the newest that the package index had when `make install` ran.
 */
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { catalogue } from '../src/base/error-catalogue.ts';
import { APPS, HELLO, PYTHON, serve, serving } from './support/cowherd.ts';
import { installedGunicorn } from './support/gunicorn-release.ts';
import { hammer } from './support/http.ts';
import { until } from './support/until.ts';

/** The last release of every major version between the oldest that is supported and the newest. */
const RELEASES = ['23.0.0', '24.1.1', '25.3.0', '26.2.0'];
const TOO_OLD = '22.0.0';

const newest = execFileSync(PYTHON, ['-c', 'import gunicorn; print(gunicorn.__version__)'], {
  encoding: 'utf8',
}).trim();

describe.each([...new Set([...RELEASES, newest])])('gunicorn %s', (release) => {
  test.each([
    ['sync', 'hello:app', []],
    ['gthread', 'hello:app', ['--threads', '2']],
    ['sync', 'flask_app:app', ['--chdir', APPS]],
    ['gthread', 'flask_app:app', ['--chdir', APPS, '--threads', '2']],
  ] as const)('%s serves %s', async (worker, app, options) => {
    const run = await serving([app, '--workers', '2', '--worker-class', worker, ...options], {
      files: { 'hello.py': HELLO },
      env: release === newest ? {} : { PYTHONPATH: installedGunicorn(release) },
    });
    expect(run.messages.join('\n')).toContain(`with gunicorn ${release} (${worker})`);
    const answers = await hammer(run.address, '/', 30, 4);
    expect(answers.every((answer) => answer.status === 200)).toBe(true);
    await until('all are counted', async () => (await run.status()).herd.requests >= 30);
    expect((await run.status()).herd.requests).toBe(30);
    const [first] = await run.workers();
    process.kill(first!.pid, 'SIGKILL');
    await until('it is replaced', async () => {
      const pids = (await run.workers()).filter((each) => each.state === 'ready').map((each) => each.pid);
      return pids.length === 2 && !pids.includes(first!.pid);
    });
    await run.stop();
    expect(run.stderr).not.toContain('Traceback');
  });
});

test(`gunicorn ${TOO_OLD} is too old, and is refused`, async () => {
  const run = serve(['hello:app'], { files: { 'hello.py': HELLO }, env: { PYTHONPATH: installedGunicorn(TOO_OLD) } });
  expect(await run.ended).toEqual({ status: catalogue.GUNICORN_TOO_OLD.exitStatus, signal: null });
  expect(run.stderr).toContain(`gunicorn ${TOO_OLD} in`);
  await run.expectNothingLeft();
});
