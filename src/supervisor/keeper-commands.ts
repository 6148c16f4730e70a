/** Translates the actions that the keeper carries out into its commands. Pure. */
import { listenAddresses } from '../agent/inherited-sockets.ts';
import type { KeeperCommand, Settings } from '../agent/messages.ts';
import type { Action } from './herd/events.ts';
import { FIRST_GENERATION, moldOrder, startMold, type StartUp } from './start-up.ts';

const KEEPER_ACTIONS = [
  'start_mold',
  'adopt_mold',
  'listen',
  'keep_listeners',
  'give_listeners',
  'turn_away',
  'tell_mold',
  'signal',
  'set_background',
  'ask_keeper',
  'tell_keeper_to_leave',
] as const satisfies readonly Action['do'][];

export type KeeperAction = Extract<Action, { do: (typeof KEEPER_ACTIONS)[number] }>;

export function isKeeperAction(action: Action): action is KeeperAction {
  return KEEPER_ACTIONS.some((name) => name === action.do);
}

/** Returns the command; null if it was given already. */
export function commandOf(action: KeeperAction, startUp: Omit<StartUp, 'keeper'>): KeeperCommand | null {
  switch (action.do) {
    case 'start_mold':
      // The first mold was ordered together with the keeper.
      if (action.generation === FIRST_GENERATION) return null;
      return startMold(startUp, action.generation, action.rejected, action.occasion);
    case 'adopt_mold': {
      const mold = moldOrder(startUp, action.generation, [], 'refork');
      return { type: 'adopt_mold', pid: action.pid, generation: action.generation, mold };
    }
    case 'listen':
      return listenCommand(action.generation, action.settings, startUp);
    case 'keep_listeners':
      return { type: 'keep_listeners', generations: action.generations };
    case 'give_listeners':
      return { type: 'give_listeners', generation: action.generation };
    case 'turn_away':
      return { type: 'turn_away' };
    case 'tell_mold':
      return { type: 'to_mold', generation: action.generation, message: action.message };
    case 'signal':
      return { type: 'signal', pid: action.pid, signal: action.signal };
    case 'set_background':
      return { type: 'set_background', pid: action.pid, background: action.background };
    case 'ask_keeper':
      return { type: 'pulse' };
    case 'tell_keeper_to_leave':
      break;
  }
  return { type: 'exit' };
}

function listenCommand(generation: number, settings: Settings, { sockets }: Pick<StartUp, 'sockets'>): KeeperCommand {
  return {
    type: 'listen',
    generation,
    addresses: listenAddresses(settings.addresses, sockets.activated),
    backlog: settings.backlog,
    reuse_port: settings.reuse_port,
    umask: settings.umask,
    uid: settings.uid,
    gid: settings.gid,
    grace_seconds: settings.graceful_timeout_seconds,
  };
}
