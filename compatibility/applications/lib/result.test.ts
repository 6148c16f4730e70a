import { expect, test } from 'vitest';
import { pageOf } from './page.ts';
import { type ApplicationResult, isGood, sumOf, type Trial } from './result.ts';

const told = { ok: true, seconds: 1.25, failure: null };
const trial: Trial = {
  answers: { identical: 40, masked: 10, unsteady: [], different: [], gets: 40, posts: 10, statuses: { 200: 50 } },
  leftOut: {},
  load: { sent: 100, good: 95, refusedAfterStop: 5, lost: [], byPhase: {} },
  reload: told,
  refork: told,
  stop: told,
  warnings: [],
  traced: null,
  memory: { gunicorn: 200, cowherd: 150, afterRefork: 120 },
};
const result: ApplicationResult = {
  name: 'shop',
  title: 'The shop',
  version: '1.2',
  python: '3.13.0',
  gunicorn: '27.0.1',
  services: ['redis'],
  serverArguments: ['--threads', '3'],
  workers: 4,
  code: 'c',
  problem: null,
  trial,
};

test('the sum over two good trials is good', () => {
  const sum = sumOf([result, { ...result, name: 'other' }]);
  expect(sum).toMatchObject({
    apps: 2,
    served: 2,
    answers_compared: 100,
    answers_different: 0,
    requests_lost: 0,
    reforked: 2,
  });
  expect(isGood(sum)).toBe(true);
});

test.each<[string, ApplicationResult | null]>([
  ['has no result', null],
  ['was not served', { ...result, problem: 'cowherd has ended', trial: null }],
  [
    'answers otherwise',
    {
      ...result,
      trial: { ...trial, answers: { ...trial.answers, different: [{ request: 'GET /', where: ['status'] }] } },
    },
  ],
  [
    'has lost a request',
    { ...result, trial: { ...trial, load: { ...trial.load, lost: ['GET / during stop: ECONNRESET'] } } },
  ],
  ['was not reforked', { ...result, trial: { ...trial, refork: { ok: false, seconds: 1, failure: 'FORK_UNSAFE' } } }],
  ['was not reloaded', { ...result, trial: { ...trial, reload: { ok: false, seconds: 1, failure: 'MOLD_DIED' } } }],
  ['was not stopped', { ...result, trial: { ...trial, stop: { ok: false, seconds: 60, failure: 'STOP_TIMED_OUT' } } }],
  [
    'misses spans',
    {
      ...result,
      trial: { ...trial, traced: { gunicorn: { requests: 9, spans: 9 }, cowherd: { requests: 9, spans: 8 } } },
    },
  ],
])('it is not good if one application %s', (_, other) => {
  expect(isGood(sumOf([result, other]))).toBe(false);
});

test('the page has a row for each application in each table, and says what was not the same', () => {
  const lost = { ...trial, load: { ...trial.load, lost: ['GET /a|b during stop: read ECONNRESET'] } };
  const page = pageOf([
    result,
    { ...result, title: 'Not served', problem: 'it has\nended', trial: null },
    { ...result, title: 'Lossy', trial: lost },
  ]);
  expect(page).toContain('| The shop | 1.2 | 3.13.0 | redis | gthread, 4 | 50 (10 not GET) | 40 | 10 | 0 | 0 |');
  expect(page).toContain('| The shop | 100 | 1.3 s | 1.3 s | 1.3 s | 5 | 0 |');
  expect(page).toContain('| The shop | 200 | 150 | 120 |');
  expect(page).toContain('not served: it has |');
  expect(page).toContain('### Lossy\n\n- lost: ``GET /a|b during stop: read ECONNRESET``');
  expect(page).not.toContain('### The shop');
});

test('a refusal is told by its reason, without the places of this machine', () => {
  const failure =
    'Refork to generation 2 has begun\nError ROLLOUT_FAILED: thread of /srv/me/env/lib/python3.13/site-packages/a/b.py:7 and /home/me/x/.cache/applications/sites/a/a.db\nThe old one serves.';
  const page = pageOf([{ ...result, trial: { ...trial, refork: { ok: false, seconds: 1, failure } } }]);
  expect(page).toContain(
    '- refork refused: ``Error ROLLOUT_FAILED: thread of site-packages/a/b.py:7 and .cache/applications/sites/a/a.db``',
  );
});
