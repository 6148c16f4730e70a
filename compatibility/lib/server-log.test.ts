import { expect, test } from 'vitest';
import { printedIn, warningsIn } from './server-log.ts';

test("Cowherd's and gunicorn's warnings, alike ones once, and nothing of the application's", () => {
  const lines = [
    { level: 'warning', logger: 'cowherd', msg: 'Guard: gc.disable() in worker 41' },
    { level: 'warning', logger: 'cowherd', msg: 'Guard: gc.disable() in worker 42' },
    { level: 'info', logger: 'cowherd', msg: 'Serving' },
    { level: 'error', logger: 'gunicorn.error', msg: 'Exception in worker process' },
    { level: 'error', logger: 'shop.mail', msg: 'no mail' },
    { level: 'warning', msg: 'of nobody' },
  ];
  const log = [...lines.map((line) => JSON.stringify(line)), 'WARNING: a plain line', '{"broken'].join('\n');
  expect(warningsIn(log)).toEqual([
    { level: 'warning', text: 'Guard: gc.disable() in worker N', times: 2 },
    { level: 'error', text: 'Exception in worker process', times: 1 },
  ]);
});

const log = [
  '{"level":"info","time":"2026-11-23T14:16:37.546Z","pid":1457,"logger":"cowherd","msg":"Serving"}',
  '{"level":"warning","time":"2026-11-23T14:16:37.546Z","pid":1457,"logger":"cowherd","msg":"Worker 17 is late"}',
  '[2026-11-23 14:17:08 +0000] [1619] [INFO] Booting worker with pid: 1619',
  '[2026-11-23 14:17:08 +0000] [1619] [CRITICAL] WORKER TIMEOUT (pid:1619)',
  'Traceback (most recent call last):',
  '{"an application": "prints JSON"}',
  '{not JSON',
  '',
].join('\n');

test('warnings of both forms', () => {
  expect(warningsIn(log)).toEqual([
    { level: 'warning', text: 'Worker N is late', times: 1 },
    { level: 'critical', text: 'WORKER TIMEOUT (pid:N)', times: 1 },
  ]);
});

test('what is no line of a log was printed', () => {
  expect(printedIn(log)).toEqual([
    'Traceback (most recent call last):',
    '{"an application": "prints JSON"}',
    '{not JSON',
  ]);
});
