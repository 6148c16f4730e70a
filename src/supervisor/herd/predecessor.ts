/**
 * Decisions about a predecessor: a herd in the same runtime directory whose keeper this supervisor can't steer, since it
 * speaks another version of the protocol. This herd takes its place without a request lost: it accepts from the same
 * sockets (agent/cowherd_agent/keeper/lending.py), and the other one gives way as soon as every worker here is ready.
 *
 * Until then the predecessor lacks nothing, and whatever goes wrong here ends this herd alone.
 */
import { log, type Draft } from './draft.ts';
import type { HerdState, Predecessor } from './state.ts';

/** Whether it serves, and goes on to if this herd fails. */
export function serves(state: HerdState): boolean {
  return state.predecessor?.phase === 'serving';
}

/** Whether the runtime directory is for the predecessor to keep, or to take away: this herd ends, and that one serves on. */
export function keepsDirectory(state: HerdState): boolean {
  return serves(state) && (state.phase === 'stopping' || state.phase === 'ended');
}

/** Its listeners are here. */
export function lent(draft: Draft): void {
  const { predecessor } = draft.state;
  if (predecessor === null) return;
  log(draft, 'info', `${nameOf(predecessor)} serves until every worker of this herd is ready`);
}

/** Every worker here is ready. */
export function takeOver(draft: Draft): void {
  const { state } = draft;
  const { predecessor } = state;
  if (predecessor === null) return;
  draft.actions.push({ do: 'take_over' });
  if (predecessor.phase === 'gone') {
    state.predecessor = null;
    return;
  }
  predecessor.phase = 'leaving';
  draft.actions.push({ do: 'own_directory' });
  log(draft, 'info', `${nameOf(predecessor)} gives way: it finishes its requests and ends`);
}

/** Its keeper has ended. */
export function ended(draft: Draft): void {
  const { state } = draft;
  const { predecessor } = state;
  if (predecessor === null) return;
  if (predecessor.phase === 'leaving') {
    state.predecessor = null;
    log(draft, 'info', `${nameOf(predecessor)} has ended`);
    return;
  }
  predecessor.phase = 'gone';
  draft.actions.push({ do: 'own_directory' });
  log(draft, 'warning', `${nameOf(predecessor)} ended before this herd could take over; this herd has its sockets`);
}

/** This herd ends. */
export function tellThatItServes(draft: Draft): void {
  const { predecessor } = draft.state;
  if (predecessor?.phase !== 'serving') return;
  log(draft, 'warning', `${nameOf(predecessor)} keeps serving, untouched`);
}

function nameOf({ keeperPid, protocol }: Predecessor): string {
  return `The herd of keeper ${keeperPid} (protocol version ${protocol})`;
}
