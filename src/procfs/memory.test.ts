import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Bytes, bytes, kibibytes } from '../base/units.ts';
import { anonymousAtFork, memoryOf } from './memory.ts';
import { parseSmapsRollup, type SmapsRollup } from './smaps-rollup.ts';

const capture = (name: string): SmapsRollup =>
  parseSmapsRollup(readFileSync(new URL(`captures/${name}.smaps_rollup`, import.meta.url), 'utf8'))!;

const moldAnonymous = anonymousAtFork(capture('mold'));

test('a worker just forked has hardly any unshared memory', () => {
  const memory = memoryOf(capture('worker-at-fork'), moldAnonymous);
  expect(memory.shared).toBeGreaterThan(0.99 * moldAnonymous);
  expect(memory.unshared).toBeLessThan(kibibytes(1024));
});

test('copies of shared objects and new objects of a worker are told apart', () => {
  const worker = capture('worker');
  const memory = memoryOf(worker, moldAnonymous);
  // 10,000 byte strings of 1,000 bytes are fresh; the rest was copied by the writes.
  expect(memory.fresh).toBeGreaterThan(bytes(10_000 * 1000));
  expect(memory.fresh).toBeLessThan(bytes(10_000 * 1000 + 1_000_000));
  expect(memory.unshared).toBe(moldAnonymous - worker.sharedDirty);
  expect(memory.rss).toBe(memory.shared + memory.private);
});

test('all private memory of a process that is not a fork is fresh', () => {
  const memory = memoryOf(capture('mold'), bytes(0));
  expect(memory.unshared).toBe(0);
  expect(memory.fresh).toBe(memory.private);
});

test('shared memory that was swapped out is not unshared', () => {
  const before = capture('worker-at-fork');
  const swapped: SmapsRollup = {
    ...before,
    rss: bytes(before.rss - kibibytes(50_000)),
    sharedDirty: bytes(before.sharedDirty - kibibytes(50_000)),
    anonymous: bytes(before.anonymous - kibibytes(50_000)),
    swap: kibibytes(50_000),
  };
  expect(memoryOf(swapped, moldAnonymous).unshared).toBe(memoryOf(before, moldAnonymous).unshared);
});

test('no part is negative, and the parts add up', () => {
  const size = fc.nat({ max: 2 ** 40 }).map((value): Bytes => bytes(value));
  const rollup = fc.record({
    rss: size,
    pss: size,
    sharedClean: size,
    sharedDirty: size,
    privateClean: size,
    privateDirty: size,
    anonymous: size,
    swap: size,
  });
  fc.assert(
    fc.property(rollup, size, (process, atFork) => {
      const memory = memoryOf(process, atFork);
      expect(memory.unshared + memory.fresh).toBe(memory.private);
      expect(Math.min(memory.unshared, memory.fresh)).toBeGreaterThanOrEqual(0);
    }),
  );
});
