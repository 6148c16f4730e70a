/** What can happen to a herd, and what the supervisor can do about it. */
import type { Inventory, KeeperMessage, MoldCommand, MoldOccasion, Settings } from '../../agent/messages.ts';
import type { LogLevel } from '../../base/log.ts';
import type { Milliseconds } from '../../base/units.ts';
import type { MergingSample } from '../rules/heal-settled.ts';
import type { HerdState, RolloutOutcome } from './state.ts';

/** A worker's counters at a tick, read from the scoreboard. */
export interface Heartbeat {
  pid: number;
  /** How long ago the worker last said that it lives, in milliseconds. */
  agoMs: number;
  requestsFinished: number;
  inFlight: number;
  /** Where it is stuck, when a signal has made it say so. */
  stack?: string;
}

/** The latest sample of a worker's memory (see src/procfs/memory.ts). */
export interface WorkerReading {
  pid: number;
  sampledAtMs: number;
  rss: number;
  pss: number;
  private: number;
  unshared: number;
}

/** What is known of the herd's memory at a tick. */
export interface HerdReading {
  workers: WorkerReading[];
  /** Proportional set sizes of the molds and of all workers that were looked at. */
  pss: number;
  /** Of the cgroup that the herd is in: its limit, and what is used without pages of files that are not in use. */
  cgroup: { limit: number | null; used: number } | null;
}

/** What KSM does for the herd; only in one that is healed by rule. */
export interface MergingReading {
  /** Why memory can't be merged here; `null` when it can. */
  problem: string | null;
  /** While this supervisor has it merged. */
  sample: MergingSample | null;
  /** CPU time that ksmd has used; `null` where it can't be seen. */
  ksmdMs: Milliseconds | null;
}

export type HerdEvent =
  | { type: 'keeper_says'; message: KeeperMessage; death?: DeathNotes }
  /** `python` is the program that was to run the keeper. */
  | { type: 'keeper_exited'; python: string; exitStatus: number | null; signal: string | null }
  | { type: 'keeper_spawn_failed'; code: string; detail: string }
  /** All processes that a dead keeper has left are gone; what its workers have finished in all, by pid. */
  | { type: 'orphans_gone'; requestsFinished: number }
  /** This supervisor has taken over the herd of one that has died. */
  | ({ type: 'adopted' } & Adoption)
  | { type: 'protocol_error'; detail: string }
  | { type: 'pidfile_failed'; code: string; detail: string }
  | { type: 'stop_requested'; by: string; quick: boolean }
  | { type: 'scale'; by: number }
  | { type: 'scale_to'; workers: number; by: string }
  | { type: 'reload_requested'; by: string }
  | { type: 'rollback_requested'; by: string }
  | { type: 'refork_requested'; by: string }
  | { type: 'merge_requested'; by: string }
  | { type: 'merging_failed'; reason: string }
  | { type: 'census_requested' }
  | { type: 'reopen_logs' }
  /** Once a second, and never sooner. */
  | { type: 'tick'; heartbeats: Heartbeat[]; memory?: HerdReading; merging?: MergingReading }
  /** A time has come that a decision asked for (`wake`); also when the keeper has ended. */
  | { type: 'woken'; heartbeats: Heartbeat[]; memory?: HerdReading };

/** A herd whose supervisor has died; see adoption.ts. */
export interface Adoption {
  inventory: Inventory;
  /** The dead supervisor's; `null` when it has left none that can be used. */
  saved: HerdState | null;
  /** The pid of the dead supervisor, if it is known. */
  supervisorPid: number | null;
  /** By pid, of every worker that the scoreboard has a row of. */
  rows: Record<number, AdoptedRow>;
  /** The new supervisor was started with other arguments than the dead one. */
  isOtherwiseStarted: boolean;
}

export interface AdoptedRow extends ExitCounters {
  isReady: boolean;
}

/** The scoreboard row of a process that has ended. */
export interface ExitCounters {
  requestsStarted: number;
  requestsFinished: number;
  /** Of them. */
  responseErrors?: number;
}

/** What was found after a process that had not left by itself. */
export interface DeathNotes {
  /** Its Python stack, if it could write it. */
  stack: string | null;
  /** The kernel has killed a process for lack of memory at that moment; null if that can't be known. */
  outOfMemory: boolean | null;
}

export type Action =
  | {
      do: 'start_mold';
      generation: number;
      rejected: { policy: string; reason: string }[];
      occasion: MoldOccasion;
    }
  /** A worker that has retired is this generation's mold from now on. */
  | { do: 'adopt_mold'; pid: number; generation: number }
  /** Have this generation's listeners: those that are there are kept, others made. */
  | { do: 'listen'; generation: number; settings: Settings }
  /** Close the listeners that none of these generations has. */
  | { do: 'keep_listeners'; generations: number[] }
  /** Let nobody new in; what is queued is served. */
  | { do: 'turn_away' }
  /** These settings are the herd's from now on. */
  | { do: 'use_settings'; settings: Settings }
  | { do: 'record_rollout'; outcome: RolloutOutcome }
  | { do: 'give_listeners'; generation: number }
  /** Whether this process gives way to all others on the processor. */
  | { do: 'set_background'; pid: number; background: boolean }
  | { do: 'tell_mold'; generation: number; message: MoldCommand }
  | { do: 'signal'; pid: number; signal: number }
  /** Have it say that it is awake, and what waits on the listeners. */
  | { do: 'ask_keeper' }
  | { do: 'tell_keeper_to_leave' }
  /** Wait until these have left. */
  | { do: 'wait_for_orphans'; pids: number[] }
  | { do: 'start_keeper' }
  /** Have the predecessor give way. */
  | { do: 'take_over' }
  /** What is in the runtime directory is this herd's from now on. */
  | { do: 'own_directory' }
  | { do: 'write_pidfile'; path: string }
  | { do: 'daemonize' }
  | { do: 'watch_process'; pid: number; role: 'mold' | 'worker'; generation: number }
  | { do: 'forget_process'; pid: number }
  | { do: 'remove_census'; generation: number }
  /** Switch KSM on, or put the host's settings back. */
  | { do: 'start_merging' }
  | { do: 'stop_merging' }
  | { do: 'announce_serving' }
  | { do: 'wake'; atMs: number }
  | { do: 'log'; level: LogLevel; text: string; fields?: Record<string, unknown> }
  | { do: 'end'; exitStatus: number; error: { code: string; detail: string } | null };
