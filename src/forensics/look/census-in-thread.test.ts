import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { manualClock } from '../../base/clock.ts';
import { milliseconds } from '../../base/units.ts';
import { CensusInThread } from './census-in-thread.ts';
import type { CensusAnswer, CensusThreadData } from './census-task.ts';

const task = { pid: 1, pageBytes: 4096, startedMs: 0 };
const answer: CensusAnswer = {
  tables: {
    pageBytes: 4096,
    objects: 7,
    names: [],
    pages: new Float64Array(0),
    firsts: Uint32Array.of(0),
    owners: new Uint32Array(0),
    bytes: new Uint32Array(0),
  },
  problem: null,
};

function say({ port, signs }: CensusThreadData, said: CensusAnswer): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  port.postMessage(said);
  Atomics.add(signs, 0, 1);
}

/** A real thread, which answers while this one is blocked. */
const LATE = `
const { workerData: { port, signs, part } } = require('node:worker_threads');
const still = new Int32Array(new SharedArrayBuffer(4));
for (let sign = 1; sign <= 4; sign += 1) {
  part[0] = sign / 8;
  Atomics.add(signs, 0, 1);
  Atomics.notify(signs, 0);
  Atomics.wait(still, 0, 0, 30);
}
port.postMessage({ tables: null, problem: 'no sys.modules' });
Atomics.add(signs, 0, 1);
Atomics.notify(signs, 0);
`;

function startLate(data: CensusThreadData): void {
  new Worker(LATE, { eval: true, workerData: data, transferList: [data.port] }).unref();
}

test('an answer that is there already is not waited for', () => {
  const parts: number[] = [];
  const coming = new CensusInThread(
    task,
    (part) => parts.push(part),
    (data) => say(data, answer),
  );
  expect(coming.wait()?.tables.objects).toBe(7);
  expect(coming.look()).toBe(coming.wait());
  expect(coming.problem).toBeNull();
  expect(parts).toEqual([]);
});

test('a census is under way until its thread answers, and says how far it is', () => {
  const parts: number[] = [];
  const coming = new CensusInThread(task, (part) => parts.push(part), startLate);
  expect(coming.look()).toBeUndefined();
  expect(coming.wait()).toBeNull();
  expect(coming.look()).toBeNull();
  expect(coming.problem).toBe('no sys.modules');
  expect(parts.at(-1)).toBe(1);
  expect(parts).toEqual(parts.toSorted((a, b) => a - b));
});

test('where there is nothing to take a census of, nobody waits', () => {
  const coming = new CensusInThread(
    task,
    () => {},
    () => {},
  );
  coming.begin(null);
  expect(coming.wait()).toBeNull();
  expect(coming.problem).toBeNull();
});

test('a thread that ends without an answer costs the census only', () => {
  const clock = manualClock();
  const coming = new CensusInThread(
    task,
    () => clock.advance(milliseconds(40_000)),
    () => {},
    clock,
  );
  expect(coming.wait()).toBeNull();
  expect(coming.problem).toBe('its thread has ended without an answer');
});
