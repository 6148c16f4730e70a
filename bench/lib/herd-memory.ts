/**
 * The memory of a server of any kind, read from the kernel's own sums.
 *
 * Every server is measured in the same way. The shared memory at the fork, which can be lost, is the anonymous memory
 * of the mold (the process that forks) after it has forked the workers. The part that a worker still shares is the
 * worker's anonymous memory without its private pages (see `src/procfs/memory.ts`).
 */
import { type Bytes, bytes } from '../../src/base/units.ts';
import { anonymousAtFork, memoryOf } from '../../src/procfs/memory.ts';
import { readSmapsRollup, type SmapsRollup } from '../../src/procfs/smaps-rollup.ts';
import type { Members } from './serving.ts';
import { median } from './statistics.ts';

/** The memory that a worker shares right after its fork, and can lose. Read it before the load. */
export function sharedAtFork(members: Members): Bytes {
  return anonymousAtFork(rollupOf(members.mold));
}

/** Medians over the workers, and sums over the herd. */
export interface HerdMemory {
  readonly sharedAtFork: Bytes;
  /** The part of `sharedAtFork` that a worker still shares. */
  readonly shared: Bytes;
  readonly unshared: Bytes;
  readonly fresh: Bytes;
  readonly private: Bytes;
  /** The whole server: mold, workers, and Cowherd's keeper and supervisor. */
  readonly pss: Bytes;
  /** The part of `pss` that is Cowherd's supervisor (Node) and keeper. */
  readonly supervisorPss: Bytes;
  readonly keeperPss: Bytes;
}

export function readHerd(members: Members, atFork: Bytes): HerdMemory {
  const workers = members.workers.map((pid) => rollupOf(pid));
  const parts = workers.map((worker) => memoryOf(worker, atFork));
  const supervisor = members.root === members.mold ? null : rollupOf(members.root);
  const keeper = members.keeper === null ? null : rollupOf(members.keeper);
  const all = [rollupOf(members.mold), ...workers, supervisor, keeper];
  const middle = (values: readonly Bytes[]): Bytes => bytes(median(values));
  return {
    sharedAtFork: atFork,
    shared: middle(workers.map(stillShared)),
    unshared: middle(parts.map((part) => part.unshared)),
    fresh: middle(parts.map((part) => part.fresh)),
    private: middle(parts.map((part) => part.private)),
    pss: bytes(all.reduce((sum, each) => sum + (each?.pss ?? 0), 0)),
    supervisorPss: supervisor?.pss ?? bytes(0),
    keeperPss: keeper?.pss ?? bytes(0),
  };
}

/** The part of the memory shared at the fork that is still shared: 1 if nothing was lost. */
export function retention(memory: { readonly shared: number; readonly sharedAtFork: number }): number {
  return memory.shared / memory.sharedAtFork;
}

function stillShared(worker: SmapsRollup): Bytes {
  return bytes(worker.anonymous - worker.privateDirty + worker.swap);
}

function rollupOf(pid: number): SmapsRollup {
  const rollup = readSmapsRollup(pid);
  if (rollup === null) throw new Error(`process ${pid} of the server has ended`);
  return rollup;
}
