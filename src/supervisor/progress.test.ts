import type { WriteStream } from 'node:tty';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { createLog } from '../base/log.ts';
import { mebibytes } from '../base/units.ts';
import { createProgressView, describeProgress, type Progress } from './progress.ts';

const work: Progress = { text: 'making objects immortal', done: 1_200_000, seconds: 0.8, final: false };

function view(columns: number | null): {
  lines: string[];
  shown: () => string;
  show: (progress: Progress) => void;
  loading: () => void;
  clear: () => void;
} {
  const lines: string[] = [];
  const log = createLog({ format: 'json', write: (line) => lines.push((JSON.parse(line) as { msg: string }).msg) });
  const stream = new PassThrough();
  let shown = '';
  stream.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
  });
  const terminal = columns === null ? null : (Object.assign(stream, { columns }) as unknown as WriteStream);
  const progress = createProgressView(log, terminal);
  return {
    lines,
    shown: () => shown,
    show: (each) => progress.show(each),
    loading: () => progress.showLoading(1.5, mebibytes(250)),
    clear: () => progress.clear(),
  };
}

test.each([
  [work, 'making objects immortal: 1,200,000 (800 ms)'],
  [{ ...work, total: 2_000_000 }, 'making objects immortal: 1,200,000 of 2,000,000 (800 ms)'],
  [{ ...work, done: 0 }, 'making objects immortal (800 ms)'],
  [{ ...work, done: 0, total: 3 }, 'making objects immortal: 0 of 3 (800 ms)'],
])('is described by counts and time', (progress, text) => {
  expect(describeProgress(progress)).toBe(text);
});

test('without a terminal only finished work is shown, as a line of the log', () => {
  const { lines, show, loading } = view(null);
  show(work);
  loading();
  expect(lines).toEqual([]);
  show({ ...work, final: true });
  expect(lines).toEqual(['making objects immortal: 1,200,000 (800 ms)']);
});

test('on a terminal one line updates itself, and is removed before the final line', () => {
  const { lines, show, shown } = view(100);
  show(work);
  show({ ...work, done: 1_300_000 });
  expect(shown()).toBe(
    '\r\u001B[Kmaking objects immortal: 1,200,000 (800 ms)\r\u001B[Kmaking objects immortal: 1,300,000 (800 ms)',
  );
  show({ ...work, final: true });
  expect(shown().endsWith('\r\u001B[K')).toBe(true);
  expect(lines.length).toBe(1);
});

test("a line is never longer than the terminal's width: otherwise it could not be removed", () => {
  const { show, shown } = view(20);
  show(work);
  expect(shown()).toBe('\r\u001B[Kmaking objects immo');
});

test('the memory of a loading mold is shown', () => {
  const { loading, shown } = view(100);
  loading();
  expect(shown()).toContain('loading the application: 1.5 s, 250.0 MiB');
});

test('nothing is removed when nothing is shown', () => {
  const { clear, shown } = view(100);
  clear();
  expect(shown()).toBe('');
});
