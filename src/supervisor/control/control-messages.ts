/** The messages of the control socket: what commands ask a supervisor, and what it answers. */
import type { CensusReport } from '../decisions/processes/census.ts';
import type { Answer } from '../herd/draft.ts';
import type { StatusReport } from './status.ts';

/** Raised with every change that an older command could not understand. */
export const CONTROL_VERSION = 1;

export type ControlRequest =
  | { type: 'status'; version: number }
  | { type: 'stop'; version: number; quick: boolean }
  /** Of the generation that serves; `start`: have one taken, if there is none. */
  | { type: 'census'; version: number; start: boolean }
  | ControlOrder;

/** What a herd can be told to do while it serves. */
export type ControlOrder =
  | { type: 'scale'; version: number; workers: number }
  | { type: 'reload'; version: number }
  | { type: 'rollback'; version: number }
  | { type: 'refork'; version: number }
  /** Have molds and workers let the kernel merge their memory. */
  | { type: 'merge'; version: number };

export type ControlReply =
  | { type: 'status'; report: StatusReport }
  | { type: 'stopping'; pid: number }
  | { type: 'census'; census: CensusReport }
  /** Whether an order is carried out; `generation` is the one that a rollout leads to. */
  | ({ type: 'answered' } & Answer)
  | { type: 'refused'; reason: string };
