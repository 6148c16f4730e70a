import { expect, test } from 'vitest';
import { printedIn, warningsIn } from './log-warnings.ts';

const log = [
  '{"level":"info","time":"2026-11-23T14:16:37.546Z","pid":1457,"logger":"cowherd","msg":"Serving"}',
  '{"level":"warning","time":"2026-11-23T14:16:37.546Z","pid":1457,"logger":"cowherd","msg":"Worker 17 is late"}',
  '{"level":"warning","time":"2026-11-23T14:16:38.546Z","pid":1457,"logger":"cowherd","msg":"Worker 18 is late"}',
  '[2026-11-23 14:17:08 +0000] [1619] [INFO] Booting worker with pid: 1619',
  '[2026-11-23 14:17:08 +0000] [1619] [CRITICAL] WORKER TIMEOUT (pid:1619)',
  'Traceback (most recent call last):',
  '{"an application": "prints JSON"}',
  '{not JSON',
  '',
].join('\n');

test('warnings of both forms, the same of several processes together', () => {
  expect(warningsIn(log)).toEqual([
    { level: 'warning', text: 'Worker N is late', times: 2 },
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
