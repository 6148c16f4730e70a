import { expect, test } from 'vitest';
import { kindOf, troubleBeyond, troubleIn } from './log-lines.ts';

const cowherd = [
  '{"level":"info","logger":"cowherd","msg":"no error here"}',
  '{"level":"warning","logger":"cowherd","msg":"Guard: gc.disable() seen in worker 12"}',
  '{"level":"warning","logger":"cowherd","msg":"Guard: gc.disable() seen in worker 13"}',
  '{"level":"error","logger":"cowherd","msg":"Worker 7 died"}',
  'Traceback (most recent call last):',
  'ValueError: 3',
  'a line of the application',
].join('\n');

test('warnings and errors are found, each kind once; of other lines those that speak of trouble', () => {
  expect(troubleIn(cowherd)).toEqual({
    warnings: ['Guard: gc.disable() seen in worker 12', 'Worker 7 died'],
    output: ['Traceback (most recent call last):', 'ValueError: 3'],
  });
});

test("gunicorn's lines are told by their level", () => {
  const log = '[2026-11-28 12:00:00 +0000] [7] [INFO] error\n[2026-11-28 12:00:00 +0000] [7] [WARNING] slow';
  expect(troubleIn(log)).toEqual({ warnings: ['slow'], output: [] });
});

test('an object of JSON that is no line of a log is output', () => {
  expect(troubleIn('{"error": 1}')).toEqual({ warnings: [], output: ['{"error": 1}'] });
});

test('what the other has too is left out, whatever its numbers and paths', () => {
  const ours = { warnings: ['of worker 3'], output: ['/tmp/a/b.py:3: DeprecationWarning', 'only ours'] };
  const theirs = { warnings: [], output: ['of worker 444', '/tmp/c/d/e.py:3: DeprecationWarning'] };
  expect(troubleBeyond(ours, theirs)).toEqual({ warnings: [], output: ['only ours'] });
});

test('a kind is a line without numbers and addresses', () => {
  expect(kindOf(' <A object at 0x7f67b936d7f0> in 12 ')).toBe(kindOf('<A object at 0x1> in 3'));
  expect(kindOf('a is gone')).not.toBe(kindOf('b is gone'));
});
