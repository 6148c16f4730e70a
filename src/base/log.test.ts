import { expect, test } from 'vitest';
import { createLog, type LogLevel, LOG_LEVELS } from './log.ts';
import { logFormatFor } from './log-format.ts';

function capture(options: { format: 'text' | 'json'; level?: LogLevel; color?: boolean }) {
  const lines: string[] = [];
  return { lines, log: createLog({ color: false, ...options, write: (line) => lines.push(line) }) };
}

test("a text line has gunicorn's form", () => {
  const { lines, log } = capture({ format: 'text' });
  log.info('listening at 127.0.0.1:8000', { port: 8000 });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(
    new RegExp(
      String.raw`^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[${process.pid}\] \[INFO\] listening at 127\.0\.0\.1:8000\n$`,
    ),
  );
});

test("a JSON line has the agent's keys, and the data", () => {
  const { lines, log } = capture({ format: 'json' });
  log.warning('held', { library: 'x' });
  const line = JSON.parse(lines[0]!);
  expect(line).toEqual({
    level: 'warning',
    time: line.time,
    pid: process.pid,
    logger: 'cowherd',
    msg: 'held',
    library: 'x',
  });
  expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test("levels have gunicorn's names, in both formats, and the level applies", () => {
  for (const format of ['text', 'json'] as const) {
    const { lines, log } = capture({ format, level: 'warning' });
    for (const level of LOG_LEVELS) log[level]('line');
    expect(lines.map((line) => /(warning|error|critical)/i.exec(line)?.[0]?.toLowerCase())).toEqual([
      'warning',
      'error',
      'critical',
    ]);
    log.setLevel('debug');
    log.debug('line');
    expect(lines).toHaveLength(4);
  }
});

test('colours only when requested', () => {
  const escape = '\u001b[';
  const plain = capture({ format: 'text', color: false });
  plain.log.error('x');
  expect(plain.lines[0]).not.toContain(escape);
  const colored = capture({ format: 'text', color: true });
  colored.log.error('x');
  expect(colored.lines[0]).toContain(escape);
});

test('an error in the data keeps its stack in a JSON line', () => {
  const { lines, log } = capture({ format: 'json' });
  log.error('failed', { err: new Error('why') });
  expect(JSON.parse(lines[0]!).err).toMatchObject({ message: 'why', type: 'Error' });
});

test('the format follows the terminal', () => {
  expect(logFormatFor({ isTTY: true })).toBe('text');
  expect(logFormatFor({})).toBe('json');
});

test('nothing in a message controls the terminal, or passes for a line of the log', () => {
  const forged =
    'GET /slow\n[2026-11-28 17:00:00 +0000] [1] [CRITICAL] forged line\u001B[31m\u001B]0;PWN\u0007\u202E\u009B1m';
  const text = capture({ format: 'text' });
  text.log.warning(forged);
  const [first = '', second = '', ...others] = (text.lines[0] ?? '').split('\n');
  expect(first).toMatch(/\[WARNING\] GET \/slow$/);
  expect(second).toBe(
    String.raw`  [2026-11-28 17:00:00 +0000] [1] [CRITICAL] forged line\x1b[31m\x1b]0;PWN\x07\u{202e}\x9b1m`,
  );
  expect(others).toEqual(['']);
  const json = capture({ format: 'json' });
  json.log.warning(forged, { more: '\u009B\u2028' });
  expect(json.lines[0]).toMatch(/^[\u0020-\u007E]+\n$/);
  expect(JSON.parse(json.lines[0]!)).toMatchObject({ msg: forged, more: '\u009B\u2028' });
});

test('the lines of a stack remain lines', () => {
  const { lines, log } = capture({ format: 'text' });
  log.error('Worker 7 is stuck:\nThread 1 (most recent call first):\n  File "a.py", line 1 in b');
  expect(lines[0]?.split('\n').slice(1)).toEqual([
    '  Thread 1 (most recent call first):',
    '  File "a.py", line 1 in b',
    '',
  ]);
});
