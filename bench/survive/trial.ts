/** Does what is planned to one herd. */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../../src/base/clock.ts';
import type { CapacityWatch } from './capacity-watch.ts';
import { type Deed, DEED_KINDS, type DeedKind } from './deeds.ts';
import { closeTerminal } from './injuries/closed-terminal.ts';
import { crowd } from './injuries/crowd.ts';
import { failToReload, OBSTACLES } from './injuries/failing-reload.ts';
import { fillDisk } from './injuries/full-disk.ts';
import { loseRuntimeDirectory } from './injuries/lost-runtime-directory.ts';
import { killMoldWithoutVenv } from './injuries/mold-without-venv.ts';
import { killMoldsInReload } from './injuries/molds-in-reload.ts';
import { slowClients } from './injuries/slow-clients.ts';
import { stopKeeper } from './injuries/stopped-keeper.ts';
import { eventually, reload, type Scene, untilSeen } from './scene.ts';

const LONGEST_PAUSE_MS = 400;
const SUPERVISOR_AWAY_MS = 1500;

type Injury = Exclude<DeedKind, 'reload' | 'refork' | 'recycle' | 'kill_worker' | 'kill_mold' | 'kill_supervisor'>;

/** The deeds that need the scene alone. */
const INJURIES: Readonly<Record<Injury, (scene: Scene, chance: number) => Promise<void>>> = {
  stop_keeper: stopKeeper,
  kill_molds_in_reload: killMoldsInReload,
  fill_disk: fillDisk,
  close_terminal: closeTerminal,
  lose_runtime_directory: loseRuntimeDirectory,
  reload_to_bad_address: async (scene) => await failToReload(scene, OBSTACLES.address),
  reload_with_bad_backlog: async (scene) => await failToReload(scene, OBSTACLES.backlog),
  reload_without_venv: async (scene) => await failToReload(scene, OBSTACLES.venv),
  reload_without_folder: async (scene) => await failToReload(scene, OBSTACLES.folder),
  kill_mold_without_venv: killMoldWithoutVenv,
  crowd,
  slow_clients: slowClients,
};

function isInjury(kind: DeedKind): kind is Injury {
  return kind in INJURIES;
}

export class Trial {
  readonly #scene: Scene;
  readonly #watch: CapacityWatch;
  readonly #say: (text: string) => void;
  readonly done = Object.fromEntries(DEED_KINDS.map((kind) => [kind, 0])) as Record<DeedKind, number>;
  readonly undoneByKills: string[] = [];
  uncountedReloads = 0;

  constructor(scene: Scene, watch: CapacityWatch, say: (text: string) => void) {
    this.#scene = scene;
    this.#watch = watch;
    this.#say = say;
  }

  async run(plan: readonly Deed[]): Promise<void> {
    const { herd, random } = this.#scene;
    const left = [...plan];
    for (let deed = left.shift(); deed !== undefined; deed = left.shift()) {
      const started = monotonicClock.now();
      const next = left[0];
      const into = next === undefined || next.intoPreviousMs === null ? null : next;
      if (into !== null) left.shift();
      const failure = await this.#together(deed, into);
      await herd.settle();
      const seconds = ((monotonicClock.now() - started) / 1000).toFixed(1);
      const what = into === null ? deed.kind : `${deed.kind} with ${into.kind} in its middle`;
      this.#say(`  ${what.padEnd(40)} ${seconds} s${failure === null ? '' : `  ended by the kill: ${failure}`}`);
      if (failure !== null) {
        this.undoneByKills.push(`${deed.kind}: ${failure}`);
        left.push({ ...deed, intoPreviousMs: null });
      }
      await sleep(random() * LONGEST_PAUSE_MS);
    }
  }

  /** The reason if the first deed did not come to its end because of the second. */
  async #together(deed: Deed, into: Deed | null): Promise<string | null> {
    if (into === null) {
      const failure = await this.#do(deed);
      if (failure !== null) throw new Error(`${deed.kind} failed: ${failure} (log: ${this.#scene.herd.log})`);
      return null;
    }
    const [first] = await Promise.all([
      this.#do(deed),
      sleep(into.intoPreviousMs ?? 0).then(async () => await this.#do(into)),
    ]);
    return first;
  }

  /** Null when it is done; else why a rollout failed. */
  async #do({ kind, chance }: Deed): Promise<string | null> {
    const scene = this.#scene;
    const { herd } = scene;
    if (isInjury(kind)) {
      await INJURIES[kind](scene, chance);
      this.done[kind] += 1;
      return null;
    }
    switch (kind) {
      case 'reload': {
        herd.site.writeVersion();
        const { failure } = await herd.rollOut('reload');
        if (failure !== null) return failure;
        await untilSeen(scene);
        break;
      }
      case 'refork': {
        await this.#makeReforkable();
        const { failure } = await herd.rollOut('refork');
        if (failure !== null) return failure;
        break;
      }
      case 'recycle':
        await this.#untilRecycled(this.done.recycle + 1);
        break;
      case 'kill_worker':
        while ((await herd.killWorker(chance)) === null);
        break;
      case 'kill_mold':
        await herd.killMolds();
        break;
      case 'kill_supervisor':
        await herd.killSupervisor(scene.random() * SUPERVISOR_AWAY_MS);
        break;
    }
    this.done[kind] += 1;
    return null;
  }

  /** Recycling goes on by itself all the time (`max_requests`); a deed is one more that has been seen. */
  async #untilRecycled(count: number): Promise<void> {
    await eventually(this.#scene, `${count} workers are recycled`, () => (this.#watch.recycles >= count ? true : null));
  }

  /** After a mold's death all workers are of an older generation than the next mold, and none can become one. */
  async #makeReforkable(): Promise<void> {
    const { herd, workers } = await this.#scene.herd.settle();
    if (workers.some((worker) => worker.generation === herd.generation)) return;
    await reload(this.#scene);
    this.uncountedReloads += 1;
  }
}
