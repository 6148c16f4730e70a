/** Finds the processes to heal, and has them let the kernel merge their memory. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CowherdError } from '../../base/errors.ts';
import { isMergeable } from '../../procfs/ksm.ts';
import { ask } from '../../supervisor/control/control.ts';
import { CONTROL_VERSION } from '../../supervisor/control/control-messages.ts';
import { herdLabel } from '../../supervisor/runtime-directory/herd-notes.ts';
import type { StatusReport } from '../../supervisor/control/status.ts';
import { findHerd } from '../herd/find-herd.ts';
import { herdOfProcess } from '../herd/herd-of-process.ts';
import { readStatus } from '../herd/read-status.ts';
import { familyOfProcess } from '../herd/family-of-process.ts';

export interface HealTarget {
  /** A name for people. */
  readonly name: string;
  /** Molds and workers, or the processes of another server. */
  readonly pids: readonly number[];
  /** The runtime directory of a herd; null for another server. */
  readonly directory: string | null;
  readonly policy: string | null;
}

/** A worker handles a signal between two instructions; during a long C call only afterwards. */
const ANSWER_WITHIN_MS = 3000;
const LOOK_EVERY_MS = 50;

/** @throws CowherdError NOT_RUNNING, SEVERAL_RUNNING, PROCESS_NOT_FOUND, PROCESS_NOT_READABLE, NOT_FORKED */
export async function findTarget(pid: number | undefined, runtimeDirectory: string | undefined): Promise<HealTarget> {
  if (pid === undefined) {
    const directory = await findHerd(runtimeDirectory);
    return targetOfHerd(directory, await readStatus(directory));
  }
  const herd = await herdOfProcess(pid, runtimeDirectory);
  return herd === null ? targetOfServer(pid) : targetOfHerd(herd.directory, herd.report);
}

/** Ready workers, and the molds of these and of new workers. A mold kept for a rollback is left out. Pure. */
export function targetOfHerd(directory: string, { herd, molds, workers }: StatusReport): HealTarget {
  const ready = workers.filter(({ state }) => state === 'ready');
  const generations = new Set([herd.generation, ...ready.map(({ generation }) => generation)]);
  const inUse = molds.filter(({ phase, generation }) => phase === 'ready' && generations.has(generation));
  return {
    name: `the herd ${herdLabel({ app: herd.app, folder: herd.folder || null, runtime_directory: directory })}`,
    pids: [...inUse.flatMap(({ pid }) => pid ?? []), ...ready.map(({ pid }) => pid)],
    directory,
    policy: herd.policy,
  };
}

async function targetOfServer(pid: number): Promise<HealTarget> {
  const { reference } = await familyOfProcess(pid);
  const { workers } = await familyOfProcess(reference);
  return { name: `the server of process ${reference}`, pids: [reference, ...workers], directory: null, policy: null };
}

/**
 * Has a herd's processes let the kernel merge their memory. Returns those of the target that do not.
 *
 * @throws CowherdError NOTHING_TO_MERGE if none does
 */
export async function allowMerging(target: HealTarget): Promise<number[]> {
  const { directory, pids } = target;
  if (directory !== null) {
    const reply = await ask(directory, { type: 'merge', version: CONTROL_VERSION });
    if (reply.type !== 'answered') throw new CowherdError('PROTOCOL_MISMATCH', { detail: reply.type });
    if (!reply.accepted) throw new CowherdError('ROLLOUT_REFUSED', { detail: `${target.name}: ${reply.text}` });
  }
  const deadline = performance.now() + (directory === null ? 0 : ANSWER_WITHIN_MS);
  let missing = refusing(pids);
  while (missing.length > 0 && performance.now() < deadline) {
    await sleep(LOOK_EVERY_MS);
    missing = refusing(missing);
  }
  if (missing.length === pids.length) throw new CowherdError('NOTHING_TO_MERGE', { detail: target.name });
  return missing;
}

/** The processes that do not let the kernel merge their memory. */
export function refusing(pids: readonly number[]): number[] {
  return pids.filter((pid) => !isMergeable(pid));
}
