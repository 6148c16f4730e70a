/** The messages of the control socket: the commands' requests to a supervisor, and its replies. */
import type { Answer } from '../herd/draft.ts';
import type { StatusReport } from './status.ts';

/** Raised with every change that an older command would misunderstand. */
export const CONTROL_VERSION = 1;

export type ControlRequest =
  | { type: 'status'; version: number }
  | { type: 'stop'; version: number; quick: boolean }
  | ControlOrder;

/** Orders to a serving herd. */
export type ControlOrder =
  | { type: 'scale'; version: number; workers: number }
  | { type: 'reload'; version: number }
  | { type: 'rollback'; version: number }
  | { type: 'refork'; version: number }
  /** Let the kernel merge the memory of molds and workers. */
  | { type: 'merge'; version: number };

export type ControlReply =
  | { type: 'status'; report: StatusReport }
  | { type: 'stopping'; pid: number }
  /** Whether an order is carried out; `generation` is the target of a rollout. */
  | ({ type: 'answered' } & Answer)
  | { type: 'refused'; reason: string };
