/**
 * What gunicorn's arbiter counts and the herd's state does not have: in which order workers were forked, and how many
 * workers and reloads there were. The counts begin with this supervisor.
 */
import type { Action, HerdEvent } from '../herd/events.ts';
import { SIGKILL, SIGTERM } from '../herd/signals.ts';
import type { HerdState } from '../herd/state.ts';

export class Tally {
  /** By pid: 1 for the first worker. */
  readonly #ages = new Map<number, number>();
  #spawned = 0;
  #killed = 0;
  #reloads = 0;

  get counts(): { spawned: number; killed: number; reloads: number } {
    return { spawned: this.#spawned, killed: this.#killed, reloads: this.#reloads };
  }

  ageOf(pid: number): number {
    return this.#ages.get(pid) ?? 0;
  }

  /** After each event. */
  observe(state: HerdState, event: HerdEvent, actions: readonly Action[]): void {
    if (event.type === 'adopted') {
      const adopted = Object.values(state.workers).toSorted((a, b) => a.forkedAtMs - b.forkedAtMs);
      for (const { pid } of adopted) this.#forked(pid);
    } else if (event.type === 'keeper_says' && event.message.type === 'worker_forked') {
      this.#forked(event.message.pid);
    } else if (event.type === 'keeper_says' && event.message.type === 'process_exited') {
      this.#ages.delete(event.message.pid);
    }
    for (const action of actions) this.#done(action);
  }

  #forked(pid: number): void {
    this.#spawned += 1;
    this.#ages.set(pid, this.#spawned);
  }

  #done(action: Action): void {
    if (action.do === 'record_rollout') {
      if (action.outcome.kind === 'reload' && action.outcome.failure === null) this.#reloads += 1;
    } else if (action.do === 'signal' && this.#ages.has(action.pid)) {
      if (action.signal === SIGTERM || action.signal === SIGKILL) this.#killed += 1;
    }
  }
}
