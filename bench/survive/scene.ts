/** The herd and its visitors that a deed works with, and the checks that most deeds share. */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../../src/base/clock.ts';
import type { StatusReport } from '../../src/supervisor/control/status.ts';
import type { Herd } from './herd.ts';
import type { Visits } from './visits.ts';

export interface Scene {
  readonly herd: Herd;
  readonly visits: Visits;
  readonly random: () => number;
}

const SEEN_WITHIN_MS = 60_000;

/**
 * Throws if a deed had no effect, or if the herd did not behave as it should. A deed that does nothing must not pass.
 */
export function ensure(isSo: boolean, { herd }: Scene, what: () => string): asserts isSo {
  if (!isSo) throw new Error(`${what()} (log: ${herd.log})`);
}

/** Polls until `look` returns something else than null, for conditions that the status doesn't show. */
export async function eventually<Result>(scene: Scene, what: string, look: () => Result | null): Promise<Result> {
  const until = monotonicClock.now() + SEEN_WITHIN_MS;
  for (;;) {
    const result = look();
    if (result !== null) return result;
    ensure(monotonicClock.now() < until, scene, () => `not within ${SEEN_WITHIN_MS / 1000} s: ${what}`);
    await sleep(20);
  }
}

/** Waits for an answer from the newest code. */
export async function untilSeen(scene: Scene): Promise<void> {
  const { version } = scene.herd.site;
  await eventually(scene, `an answer from ${version}`, () => (scene.visits.hasSeen(version) ? true : null));
}

/** Does a reload that must succeed and bring new code into service. */
export async function reload(scene: Scene): Promise<void> {
  scene.herd.site.writeVersion();
  const { failure } = await scene.herd.rollOut('reload');
  ensure(failure === null, scene, () => `a reload failed: ${failure}`);
  await untilSeen(scene);
}

/** Kills a worker, asks for one more, reloads new code, and brings the herd back to its former size. */
export async function everyday(scene: Scene, chance: number): Promise<void> {
  const { herd } = scene;
  const { wanted } = herd;
  while ((await herd.killWorker(chance)) === null);
  await herd.scale(wanted + 1);
  const { workers_ready: ready } = (await herd.settle()).herd;
  ensure(ready === wanted + 1, scene, () => `${ready} workers are ready, not ${wanted + 1}`);
  await reload(scene);
  await herd.scale(wanted);
  await herd.settle();
}

/** The number of connections that no worker has accepted yet, according to the status. */
export function waiting({ herd }: StatusReport): number {
  return herd.listen_queues.reduce((sum, queue) => sum + queue.waiting, 0);
}
