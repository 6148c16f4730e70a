/** The supervisor in the place of gunicorn's arbiter: feeds its gauges and its control socket. */
import type { KeeperCommand } from '../../agent/messages.ts';
import type { Log } from '../../base/log.ts';
import type { StatusReport } from '../control/status.ts';
import type { RequestEvent } from '../decisions/requests.ts';
import type { Answer } from '../herd/draft.ts';
import type { Action, HerdEvent } from '../herd/events.ts';
import type { HerdState } from '../herd/state.ts';
import type { Herd } from './answers.ts';
import { askDirtyArbiter, dirtyPlaceOf } from './dirty-arbiter.ts';
import { GunicornSocket } from './gunicorn-socket.ts';
import { gaugesDue, type ToldWorkers } from './gauges.ts';
import type { Facts } from './shown.ts';
import { Tally } from './tally.ts';

export interface GunicornSideOptions {
  readonly log: Log;
  readonly state: () => HerdState;
  readonly report: () => StatusReport;
  readonly send: (command: KeeperCommand) => void;
  readonly request: (event: RequestEvent) => Answer | null;
  /** Reopens the supervisor's own. */
  readonly onReopenLogs?: () => void;
}

export class GunicornSide {
  readonly #options: GunicornSideOptions;
  readonly #tally = new Tally();
  readonly #socket: GunicornSocket;
  #told: ToldWorkers | null = null;

  constructor(options: GunicornSideOptions) {
    this.#options = options;
    const herd: Herd = {
      facts: () => this.#facts(),
      askDirty: async (asked) => {
        const place = dirtyPlaceOf(options.report());
        return place === null ? null : await askDirtyArbiter(place, asked);
      },
      request: options.request,
      reopenLogs: () => {
        options.onReopenLogs?.();
        options.request({ type: 'reopen_logs' });
      },
    };
    this.#socket = new GunicornSocket({ herd, log: options.log, send: options.send });
  }

  /** After each event. */
  observe(state: HerdState, event: HerdEvent, actions: readonly Action[]): void {
    this.#tally.observe(state, event, actions);
    for (const action of actions) {
      if (action.do === 'use_settings') this.#socket.use(action.settings.control_socket ?? null);
    }
    if (event.type !== 'tick') return;
    this.#socket.look();
    const { told, command } = gaugesDue(state, this.#told);
    this.#told = told;
    if (command !== null) this.#options.send(command);
  }

  close(): void {
    this.#socket.close();
  }

  #facts(): Omit<Facts, 'dirty'> {
    const state = this.#options.state();
    return {
      report: this.#options.report(),
      tally: this.#tally,
      socket: state.settings?.control_socket ?? NO_SOCKET,
      pulse: state.keeperPulse,
    };
  }
}

const NO_SOCKET = { path: '', mode: 0, is_chosen: false, is_tls: false, config: {} };
