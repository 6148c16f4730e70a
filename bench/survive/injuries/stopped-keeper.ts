/** The keeper stands still while a worker is killed and the herd is told to change. */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../../../src/base/clock.ts';
import type { StatusReport } from '../../../src/supervisor/control/status.ts';
import type { Herd } from '../herd.ts';
import { ensure, type Scene, untilSeen } from '../scene.ts';

/** The supervisor notices it after 5 s; a look at the status comes some time later. */
const NOTICED_WITHIN_MS = 15_000;
const ANSWERED_WITHIN_MS = 5000;
const LONGEST_MORE_MS = 1000;

/**
 * `cowherd status` answers all the time, and soon says that the keeper does not, and that the worker has ended. When the
 * keeper goes on, all that was asked of the herd is done.
 */
export async function stopKeeper(scene: Scene, chance: number): Promise<void> {
  const { herd, random } = scene;
  const { wanted } = herd;
  await herd.settle();
  const goOn = await herd.stopKeeper();
  let killed = await herd.killWorker(chance);
  while (killed === null) killed = await herd.killWorker(chance);
  const { pid } = killed;
  await herd.scale(wanted + 1);
  herd.site.writeVersion();
  const generation = await herd.begin('reload');

  const report = await whenNoticed(scene);
  const state = report.workers.find((worker) => worker.pid === pid)?.state;
  ensure(state === 'ended', scene, () => `the status says of a worker that was killed: ${state}`);
  const ready = report.herd.workers_ready;
  ensure(ready < wanted + 1, scene, () => `${ready} workers are ready, though nothing can be forked`);
  const inWords = await statusOf(scene, herd);
  ensure(/The keeper \(pid \d+\) has not answered/.test(inWords), scene, () => `the status is: ${inWords}`);
  await sleep(random() * LONGEST_MORE_MS);

  goOn();
  const { failure } = await herd.ended(generation);
  ensure(failure === null, scene, () => `the reload failed: ${failure}`);
  await untilSeen(scene);
  const after = await herd.settle();
  ensure(after.herd.workers_ready === wanted + 1, scene, () => `${after.herd.workers_ready} workers are ready`);
  ensure(after.herd.keeper.silent_seconds === null, scene, () => 'the keeper is still said to be silent');
  await herd.scale(wanted);
  await herd.settle();
}

async function whenNoticed(scene: Scene): Promise<StatusReport> {
  const until = monotonicClock.now() + NOTICED_WITHIN_MS;
  for (;;) {
    const report = JSON.parse(await statusOf(scene, scene.herd, '--json')) as StatusReport;
    if (report.herd.keeper.silent_seconds !== null) return report;
    ensure(monotonicClock.now() < until, scene, () => 'the status does not say that the keeper stands still');
    await sleep(300);
  }
}

async function statusOf(scene: Scene, herd: Herd, ...options: string[]): Promise<string> {
  const { status, stdout, stderr, ms } = await herd.command('status', ...options);
  ensure(status === 0, scene, () => `cowherd status ended with ${status}: ${stderr}`);
  ensure(ms < ANSWERED_WITHIN_MS, scene, () => `cowherd status took ${ms.toFixed(0)} ms`);
  return stdout;
}
