/** The working copy of a state while one event is decided. */
import type { LogLevel } from '../../base/log.ts';
import type { Action } from './events.ts';
import type { HerdState } from './state.ts';

/** Whether what was asked for is done or under way, and what it is. */
export interface Answer {
  accepted: boolean;
  text: string;
  /** The generation that a rollout leads to. */
  generation: number | null;
}

/** A state that an event may change, the time of the event, and the actions that follow. */
export interface Draft {
  readonly state: HerdState;
  readonly nowMs: number;
  readonly actions: Action[];
  /** What to tell whoever asked for this. */
  answer: Answer | null;
}

/** Adds a line for the log to the actions. */
export function log(draft: Draft, level: LogLevel, text: string, fields?: Record<string, unknown>): void {
  draft.actions.push(fields === undefined ? { do: 'log', level, text } : { do: 'log', level, text, fields });
}
