/**
 * Decisions about a predecessor: a herd in the same runtime directory whose keeper this supervisor can't steer, because
 * it speaks another version of the protocol. This herd replaces it without losing a request: it accepts from the same
 * sockets (agent/cowherd_agent/keeper/lending.py), and the predecessor gives way as soon as every worker here is ready.
 *
 * Until then nothing is taken from the predecessor, and any failure here ends this herd alone.
 */
import { log, own, type Draft } from './draft.ts';
import type { HerdState, Predecessor, PredecessorPart } from './state.ts';

/** Whether the predecessor serves, and would keep serving if this herd failed. */
export function serves(state: HerdState): boolean {
  return state.predecessor?.phase === 'serving';
}

/** Whether the runtime directory stays with the predecessor, because this herd ends and the predecessor serves on. */
export function keepsDirectory(state: HerdState): boolean {
  return serves(state) && (state.phase === 'stopping' || state.phase === 'ended');
}

/** The predecessor's listeners have arrived. */
export function lent(draft: Draft): void {
  const { predecessor } = draft.state;
  if (predecessor === null) return;
  log(draft, 'info', `${nameOf(predecessor)} serves until every worker of this herd is ready`);
}

/** Called when every worker here is ready: tells the predecessor to give way. */
export function takeOver(draft: Draft): void {
  const { predecessor } = own<PredecessorPart>(draft);
  if (predecessor === null) return;
  draft.actions.push({ do: 'take_over' });
  if (predecessor.phase === 'gone') {
    forget(draft);
    return;
  }
  predecessor.phase = 'leaving';
  draft.actions.push({ do: 'own_directory' });
  log(draft, 'info', `${nameOf(predecessor)} gives way: it finishes its requests and ends`);
}

/** The predecessor's keeper has ended. */
export function ended(draft: Draft): void {
  const { predecessor } = own<PredecessorPart>(draft);
  if (predecessor === null) return;
  if (predecessor.phase === 'leaving') {
    forget(draft);
    log(draft, 'info', `${nameOf(predecessor)} has ended`);
    return;
  }
  predecessor.phase = 'gone';
  draft.actions.push({ do: 'own_directory' });
  log(draft, 'warning', `${nameOf(predecessor)} ended before this herd could take over; this herd has its sockets`);
}

/** There is no predecessor any longer. */
export function forget(draft: Draft): void {
  own<PredecessorPart>(draft).predecessor = null;
}

/** Logs, when this herd ends, that the predecessor serves on. */
export function tellThatItServes(draft: Draft): void {
  const { predecessor } = draft.state;
  if (predecessor?.phase !== 'serving') return;
  log(draft, 'warning', `${nameOf(predecessor)} keeps serving, untouched`);
}

function nameOf({ keeperPid, protocol }: Predecessor): string {
  return `The herd of keeper ${keeperPid} (protocol version ${protocol})`;
}
