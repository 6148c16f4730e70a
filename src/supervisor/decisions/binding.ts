/** Decisions that a successor has to know of, whenever this supervisor dies. Pure. */
import type { Decision } from './decide.ts';

/**
 * Whether an order was accepted, or a process is told something that can't be taken back. A successor that does not know
 * of it would forget the order, or take the process's obedience for a failure.
 */
export function isBinding({ actions, answer }: Pick<Decision, 'actions' | 'answer'>): boolean {
  return answer !== null || actions.some((action) => action.do === 'signal' || action.do === 'tell_mold');
}
