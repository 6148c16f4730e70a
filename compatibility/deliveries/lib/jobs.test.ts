import { expect, test } from 'vitest';
import { readJobs, tallyJobs } from './jobs.ts';

const everySecond = (from: number, to: number, pid: number) =>
  Array.from({ length: Math.floor(to - from) + 1 }, (_, index) => ({ dueAt: from + index, pid }));

test('a line is the time and the process', () => {
  expect(readJobs(['1764360000.125 42'])).toEqual([{ dueAt: 1764360000.125, pid: 42 }]);
});

test('one each second', () => {
  expect(tallyJobs(everySecond(100, 120, 1), { from: 99.5, to: 120.7 }, null)).toEqual({
    sent: 21,
    delivered: 21,
    lost: 0,
    doubled: 0,
  });
});

test('in whatever order they were noted', () => {
  const noted = everySecond(100, 120, 1).toReversed();
  expect(tallyJobs(noted, { from: 99.5, to: 120.7 }, null)).toMatchObject({ lost: 0, doubled: 0 });
});

test('a gap without a reload is loss, and so is an early end', () => {
  const jobs = [...everySecond(100, 110, 1), ...everySecond(113, 120, 1)];
  expect(tallyJobs(jobs, { from: 99.5, to: 120.7 }, null)).toMatchObject({ sent: 21, lost: 2 });
  expect(tallyJobs(everySecond(100, 110, 1), { from: 99.5, to: 120.7 }, null)).toMatchObject({ lost: 10 });
  expect(tallyJobs([], { from: 100, to: 110.6 }, null)).toMatchObject({ sent: 10, delivered: 0, lost: 10 });
});

const reload = { from: 110.3, to: 114 };
const handedOver = [...everySecond(100, 110, 1), ...everySecond(113.4, 120.4, 2)];

test('a gap while the new code loads is none', () => {
  expect(tallyJobs(handedOver, { from: 99.5, to: 120.7 }, reload)).toMatchObject({ lost: 0, doubled: 0 });
});

test('the same gap within one process is loss: its scheduler has not gone on', () => {
  const jobs = [...everySecond(100, 110, 1), ...everySecond(114, 120, 1)];
  expect(tallyJobs(jobs, { from: 99.5, to: 120.7 }, reload)).toMatchObject({ lost: 3 });
});

test('a gap that outlasts the reload is loss', () => {
  const jobs = [...everySecond(100, 110, 1), ...everySecond(118, 120, 2)];
  expect(tallyJobs(jobs, { from: 99.5, to: 120.7 }, reload)).toMatchObject({ lost: 7 });
});

test('jobs of the old code beside those of the new are too many, in the same second or half a second apart', () => {
  const beside = [...handedOver, ...everySecond(114, 116, 1)];
  expect(tallyJobs(beside, { from: 99.5, to: 120.7 }, reload)).toMatchObject({ lost: 0, doubled: 3 });
  const together = [...everySecond(100, 110, 1), { dueAt: 105.1, pid: 1 }];
  expect(tallyJobs(together, { from: 99.5, to: 110.4 }, null)).toMatchObject({ lost: 0, doubled: 1 });
});
