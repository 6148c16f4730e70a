/**
 * Every message spoken between the supervisor and Cowherd's Python processes, in both directions.
 *
 * The other side is `agent/cowherd_agent/messages.py`; a test compares the two. Supervisor and
 * keeper exchange one JSON object a line; the keeper relays what molds and workers say inside
 * `from_mold`. Times are seconds, sizes are bytes.
 */
import { z } from 'zod';

/** Must equal `PROTOCOL_VERSION` in `agent/cowherd_agent/messages.py`. */
export const PROTOCOL_VERSION = 1;

const pid = z.number().int().positive();
const generation = z.number().int().positive();
const seconds = z.number().nonnegative();

export const address = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('tcp'), host: z.string(), port: z.number().int() }),
  z.object({ kind: z.literal('unix'), path: z.string() }),
]);
export type Address = z.infer<typeof address>;

/** gunicorn's settings that the supervisor acts on, as gunicorn's own code has read them. */
export const settings = z.object({
  app: z.string(),
  proc_name: z.string(),
  chdir: z.string(),
  addresses: z.array(address),
  backlog: z.number().int(),
  reuse_port: z.boolean(),
  umask: z.number().int(),
  uid: z.number().int(),
  gid: z.number().int(),
  workers: z.number().int().nonnegative(),
  threads: z.number().int(),
  worker_class: z.string(),
  timeout_seconds: seconds,
  graceful_timeout_seconds: seconds,
  pidfile: z.string().nullable(),
  daemon: z.boolean(),
  reload: z.boolean(),
  log_level: z.string(),
  heap_policy: z.string(),
  warmup: z.array(z.string()),
  gc_guard: z.string(),
  sampling_budget_percent: z.number().nonnegative(),
  errorlog: z.string(),
});
export type Settings = z.infer<typeof settings>;

const remark = z.object({ policy: z.string(), reason: z.string() });

/** What a mold, or one of its workers, says. */
export const moldMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('configured'),
    settings,
    python_version: z.string(),
    gunicorn_version: z.string(),
    executable: z.string(),
    /** Policies that this interpreter can't have, and why. */
    remarks: z.array(remark),
  }),
  z.object({
    type: z.literal('progress'),
    phase: z.string(),
    text: z.string(),
    done: z.number().nonnegative(),
    total: z.number().nonnegative().optional(),
    seconds,
    /** The work is finished. */
    final: z.boolean(),
  }),
  z.object({
    type: z.literal('mold_ready'),
    policy: z.string(),
    asked_policy: z.string(),
    remarks: z.array(remark),
    report: z.record(z.string(), z.unknown()),
    modules: z.number().int(),
  }),
  z.object({ type: z.literal('mold_failed'), code: z.string(), detail: z.string() }),
  z.object({
    type: z.literal('mold_finished'),
    status: z.number().int(),
    /** The settings ask for a background process: it starts anew there. */
    daemonize: z.boolean(),
  }),
  z.object({ type: z.literal('policy_rejected'), policy: z.string(), reason: z.string() }),
  z.object({ type: z.literal('notice'), level: z.enum(['info', 'warning']), text: z.string() }),
  z.object({
    type: z.literal('forked'),
    slot: z.number().int().nonnegative(),
    pid,
    age: z.number().int(),
    forked_monotonic_ns: z.number(),
  }),
  z.object({ type: z.literal('fork_failed'), slot: z.number().int(), reason: z.string() }),
  z.object({ type: z.literal('worker_ready'), pid, slot: z.number().int() }),
  z.object({
    type: z.literal('worker_failed'),
    pid,
    slot: z.number().int(),
    code: z.string(),
    detail: z.string(),
  }),
  z.object({
    type: z.literal('guard'),
    pid,
    function: z.string(),
    package: z.string(),
    file: z.string(),
    line: z.number().int(),
    held: z.boolean(),
  }),
]);
export type MoldMessage = z.infer<typeof moldMessage>;

/** What the keeper says. */
export const keeperMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('keeper_ready'),
    protocol: z.number().int(),
    pid,
    executable: z.string(),
    python_version: z.string(),
    implementation: z.string(),
    free_threaded: z.boolean(),
  }),
  z.object({ type: z.literal('keeper_failed'), code: z.string(), detail: z.string() }),
  z.object({ type: z.literal('mold_started'), generation, pid }),
  z.object({ type: z.literal('listening'), listeners: z.array(z.string()) }),
  z.object({
    type: z.literal('listen_failed'),
    code: z.enum(['ADDRESS_IN_USE', 'ADDRESS_UNAVAILABLE']),
    address: z.string(),
    reason: z.string(),
  }),
  z.object({
    type: z.literal('process_exited'),
    pid,
    exit_status: z.number().int().nullable(),
    signal: z.number().int().nullable(),
    minor_faults: z.number().int(),
    major_faults: z.number().int(),
    cpu_seconds: seconds,
  }),
  z.object({ type: z.literal('from_mold'), generation, message: moldMessage }),
  z.object({ type: z.literal('signal_failed'), pid, signal: z.number().int() }),
  z.object({ type: z.literal('keeper_leaving') }),
]);
export type KeeperMessage = z.infer<typeof keeperMessage>;

/** What the supervisor tells a mold. */
export type MoldCommand =
  | { type: 'fork'; slot: number }
  | {
      type: 'worker_exited';
      pid: number;
      exit_status: number | null;
      signal: number | null;
    }
  /** The number of workers has changed, by a signal or a command. */
  | { type: 'workers_wanted'; count: number }
  | { type: 'reopen_logs' }
  | { type: 'exit' };

/** The order with which a mold starts; `rejected_policies` failed their self-test here before. */
export interface MoldOrder {
  generation: number;
  scoreboard: string;
  log_format: 'text' | 'json';
  cwd: string;
  /** The supervisor is in the background already. */
  daemonized: boolean;
  rejected_policies: { policy: string; reason: string }[];
}

/** What the supervisor tells the keeper. */
export type KeeperCommand =
  | {
      type: 'start_mold';
      generation: number;
      mold: MoldOrder;
      arguments: string[];
      environment: Record<string, string>;
    }
  | {
      type: 'listen';
      addresses: Address[];
      backlog: number;
      reuse_port: boolean;
      umask: number;
      uid: number;
      gid: number;
      grace_seconds: number;
    }
  | { type: 'give_listeners'; generation: number }
  | { type: 'to_mold'; generation: number; message: MoldCommand }
  | { type: 'signal'; pid: number; signal: number }
  | { type: 'exit' };
