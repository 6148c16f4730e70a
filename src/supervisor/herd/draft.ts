/** The working copy of a state while one event is decided. */
import type { LogLevel } from '../../base/log.ts';
import type { Action } from './events.ts';
import type { HerdState } from './state.ts';
import type { Writable } from './writable.ts';

/** Whether a request is done or under way, and a sentence about it. */
export interface Answer {
  accepted: boolean;
  text: string;
  /** The generation that a rollout leads to. */
  generation: number | null;
}

/** A state that its owners change for an event, the time of that event, and the resulting actions. */
export interface Draft {
  readonly state: HerdState;
  readonly nowMs: number;
  readonly actions: Action[];
  /** The answer for whoever sent the request. */
  answer: Answer | null;
}

/**
 * A part of the state, to be written by the caller: `own<MoldsPart>(draft).nextMold = null`. Called by the file that
 * the part names as its owner, and by no other (`owners.test.ts`).
 */
export function own<Part = never>({ state }: { readonly state: NoInfer<Part> }): Writable<Part> {
  return state as Writable<Part>;
}

/** Adds a log line to the actions. */
export function log(draft: Draft, level: LogLevel, text: string, fields?: Record<string, unknown>): void {
  draft.actions.push(fields === undefined ? { do: 'log', level, text } : { do: 'log', level, text, fields });
}
