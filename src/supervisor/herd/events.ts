/** What can happen to a herd, and what the supervisor can do about it. */
import type { Inventory, KeeperMessage, MoldCommand, MoldOccasion, Settings } from '../../agent/messages.ts';
import type { ScoreboardRow } from '../../agent/scoreboard.ts';
import type { ProcessTotals } from './tallies.ts';
import type { LogLevel } from '../../base/log.ts';
import type { Milliseconds } from '../../base/units.ts';
import type { MergingSample } from '../rules/heal-settled.ts';
import type { HerdState, RolloutOutcome } from './state.ts';

/** A worker's counters at a tick or a wake-up, read from the scoreboard. */
export interface Heartbeat {
  pid: number;
  /** Milliseconds since the worker's last heartbeat. */
  agoMs: number;
  requestsFinished: number;
  inFlight: number;
  /** Where the worker is stuck: the stack that it wrote on a signal. */
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

/** The herd's memory at a tick or a wake-up. */
export interface HerdReading {
  workers: WorkerReading[];
  /** Proportional set sizes of the molds and of all sampled workers. */
  pss: number;
  /** The herd's cgroup: its limit, and its usage without inactive file pages. */
  cgroup: { limit: number | null; used: number } | null;
}

/** The state of KSM; only in a herd that is healed by rule. */
export interface MergingReading {
  /** Why memory can't be merged here; `null` when it can. */
  problem: string | null;
  /** Only while this supervisor has the herd's memory merged. */
  sample: MergingSample | null;
  /** CPU time that ksmd has used so far; `null` where it can't be seen. */
  ksmdMs: Milliseconds | null;
}

export type HerdEvent =
  /** `retired`: the counters of a worker that becomes a mold. */
  | { type: 'keeper_says'; message: KeeperMessage; death?: DeathNotes; retired?: ProcessTotals }
  /** `python` is the interpreter that was to run the keeper. */
  | { type: 'keeper_exited'; python: string; exitStatus: number | null; signal: string | null }
  | { type: 'keeper_spawn_failed'; code: string; detail: string }
  /** All processes left by a dead keeper are gone. `requestsFinished` is the total of its workers. */
  | { type: 'orphans_gone'; requestsFinished: number; slots?: readonly { slot: number; counters: ExitCounters }[] }
  /** This supervisor has adopted the herd of a dead one. */
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
  /** Replace this worker: it leaves when another one is ready. */
  | { type: 'replace_requested'; pid: number; by: string }
  | { type: 'merging_failed'; reason: string }
  | { type: 'reopen_logs' }
  /** Once a second, never sooner. */
  | { type: 'tick'; heartbeats: Heartbeat[]; memory?: HerdReading; merging?: MergingReading }
  /** A time requested by a decision (`wake`) has come; also sent when the keeper has ended. */
  | { type: 'woken'; heartbeats: Heartbeat[]; memory?: HerdReading };

/** A herd whose supervisor has died; see src/supervisor/decisions/generations/adoption.ts. */
export interface Adoption {
  inventory: Inventory;
  /** The dead supervisor's state; `null` when it left none that can be used. */
  saved: HerdState | null;
  /** The pid of the dead supervisor, if known. */
  supervisorPid: number | null;
  /** By pid, for every worker with a row in the scoreboard. */
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
  /** How many of `requestsFinished` ended in an error. */
  responseErrors?: number;
  /** All of it; unknown if the keeper is of an older version. */
  row?: ScoreboardRow;
  minorFaults?: number;
  majorFaults?: number;
}

/** Evidence about a process that did not leave by itself. */
export interface DeathNotes {
  /** Its Python stack, if it could still write one. */
  stack: string | null;
  /** Whether the kernel killed a process for lack of memory at that moment; null if unknown. */
  outOfMemory: boolean | null;
}

export type Action =
  | {
      do: 'start_mold';
      generation: number;
      rejected: { policy: string; reason: string }[];
      occasion: MoldOccasion;
    }
  /** A retired worker becomes this generation's mold. */
  | { do: 'adopt_mold'; pid: number; generation: number }
  /** Open this generation's listeners: existing ones are kept, missing ones are made. */
  | { do: 'listen'; generation: number; settings: Settings }
  /** Close the listeners that none of these generations uses. */
  | { do: 'keep_listeners'; generations: number[] }
  /** Accept no new connections; queued ones are still served. */
  | { do: 'turn_away' }
  /** Make these settings the herd's. */
  | { do: 'use_settings'; settings: Settings }
  | { do: 'record_rollout'; outcome: RolloutOutcome }
  | { do: 'give_listeners'; generation: number }
  /** Whether this process yields the processor to all others. */
  | { do: 'set_background'; pid: number; background: boolean }
  | { do: 'tell_mold'; generation: number; message: MoldCommand }
  | { do: 'signal'; pid: number; signal: number }
  /** Ask whether the keeper responds, and for the lengths of the listen queues. */
  | { do: 'ask_keeper' }
  | { do: 'tell_keeper_to_leave' }
  /** Wait until these processes have left; `slots` has the slot of each worker among them. */
  | { do: 'wait_for_orphans'; pids: number[]; slots: Record<number, number> }
  | { do: 'start_keeper' }
  /** Tell the predecessor to give way. */
  | { do: 'take_over' }
  /** Take ownership of the files in the runtime directory. */
  | { do: 'own_directory' }
  | { do: 'write_pidfile'; path: string }
  | { do: 'daemonize' }
  | { do: 'watch_process'; pid: number; role: 'mold' | 'worker'; generation: number }
  | { do: 'forget_process'; pid: number }
  /** Switch KSM on, or restore the host's settings. */
  | { do: 'start_merging' }
  | { do: 'stop_merging' }
  | { do: 'announce_serving' }
  | { do: 'wake'; atMs: number }
  | { do: 'log'; level: LogLevel; text: string; fields?: Record<string, unknown> }
  | { do: 'end'; exitStatus: number; error: { code: string; detail: string } | null };
