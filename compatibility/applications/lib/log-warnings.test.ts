import { expect, test } from 'vitest';
import { warningsIn } from './log-warnings.ts';

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
