/** What a deed has before it, and what most of them ask for when it is done. */
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

/** A deed that does nothing must not pass: throws where it was without effect, or the herd did not as it should. */
export function ensure(isSo: boolean, { herd }: Scene, what: () => string): asserts isSo {
  if (!isSo) throw new Error(`${what()} (log: ${herd.log})`);
}

/** Waits until something else than the status says so. */
export async function eventually<Result>(scene: Scene, what: string, look: () => Result | null): Promise<Result> {
  const until = monotonicClock.now() + SEEN_WITHIN_MS;
  for (;;) {
    const result = look();
    if (result !== null) return result;
    ensure(monotonicClock.now() < until, scene, () => `not within ${SEEN_WITHIN_MS / 1000} s: ${what}`);
    await sleep(20);
  }
}

/** Waits for an answer that comes from the newest code. */
export async function untilSeen(scene: Scene): Promise<void> {
  const { version } = scene.herd.site;
  await eventually(scene, `an answer from ${version}`, () => (scene.visits.hasSeen(version) ? true : null));
}

/** A reload, as it should be: new code comes into service. */
export async function reload(scene: Scene): Promise<void> {
  scene.herd.site.writeVersion();
  const { failure } = await scene.herd.rollOut('reload');
  ensure(failure === null, scene, () => `a reload failed: ${failure}`);
  await untilSeen(scene);
}

/** A worker is killed, one more is wanted and new code comes into service; then the herd is as large as before. */
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

/** Connections that no worker has accepted yet, as the status tells it. */
export function waiting({ herd }: StatusReport): number {
  return herd.listen_queues.reduce((sum, queue) => sum + queue.waiting, 0);
}
