/**
 * Every message between the supervisor and Cowherd's Python processes, in both directions.
 *
 * The other side is `agent/cowherd_agent/wire/messages.py`; a test compares the two. Supervisor and keeper exchange one
 * JSON object per line. The keeper relays molds' messages inside `from_mold`, and workers' messages inside
 * `from_worker`; it identifies workers by their sockets. Times are seconds, sizes are bytes.
 */
import * as v from 'valibot';
import { count, integer, listening, seconds, settings } from './settings.ts';

export { address, settings, type Address, type ControlSocket, type Settings, type SyslogTarget } from './settings.ts';

/** Must equal `PROTOCOL_VERSION` in `agent/cowherd_agent/wire/messages.py`. */
export const PROTOCOL_VERSION = 3;

const nonNegative = v.pipe(v.number(), v.minValue(0));
const pid = v.pipe(v.number(), v.integer(), v.minValue(1));
const generation = pid;

export const remark = v.object({ policy: v.string(), reason: v.string() });

const configured = v.object({
  type: v.literal('configured'),
  settings,
  python_version: v.string(),
  gunicorn_version: v.string(),
  executable: v.string(),
  /** Policies that this interpreter does not support, and why. */
  remarks: v.array(remark),
});

const moldReady = v.object({
  type: v.literal('mold_ready'),
  policy: v.string(),
  asked_policy: v.string(),
  remarks: v.array(remark),
  report: v.record(v.string(), v.unknown()),
  modules: integer,
  /** How many application threads do something in this mold that no worker does. */
  threads: v.optional(count, 0),
});

const notice = v.object({
  type: v.literal('notice'),
  level: v.picklist(['info', 'warning']),
  text: v.string(),
});

/** A mold's messages, as the keeper relays them. */
export const moldMessage = v.variant('type', [
  configured,
  v.object({
    type: v.literal('progress'),
    phase: v.string(),
    text: v.string(),
    done: nonNegative,
    total: v.optional(nonNegative),
    seconds,
    /** The work is finished. */
    final: v.boolean(),
  }),
  moldReady,
  v.object({ type: v.literal('mold_failed'), code: v.string(), detail: v.string() }),
  v.object({
    type: v.literal('mold_finished'),
    status: integer,
    /** The settings ask for a background process: the herd starts again there. */
    daemonize: v.boolean(),
  }),
  v.object({ type: v.literal('policy_rejected'), policy: v.string(), reason: v.string() }),
  notice,
  v.object({ type: v.literal('fork_failed'), slot: integer, reason: v.string() }),
]);
export type MoldMessage = v.InferOutput<typeof moldMessage>;

/** A worker's messages, as the keeper relays them; the keeper adds the sender. */
export const workerMessage = v.variant('type', [
  v.object({ type: v.literal('worker_ready') }),
  /** The worker has finished its requests, and waits for the order to become a mold. */
  v.object({ type: v.literal('retired'), requests_finished: count }),
  /** The worker can't become a mold, and keeps serving. */
  v.object({ type: v.literal('retire_refused'), reason: v.string() }),
  v.object({ type: v.literal('worker_failed'), code: v.string(), detail: v.string() }),
  notice,
  v.object({
    type: v.literal('guard'),
    function: v.string(),
    package: v.string(),
    file: v.string(),
    line: integer,
    held: v.boolean(),
  }),
  /** The answer to SIGTELL: the requests in flight. */
  v.object({
    type: v.literal('in_flight'),
    requests: v.array(v.object({ method: v.string(), path: v.string(), seconds: v.nullable(v.number()) })),
    /** The scoreboard's count at that moment. */
    response_errors: count,
  }),
]);
export type WorkerMessage = v.InferOutput<typeof workerMessage>;

const fromMold = v.object({ type: v.literal('from_mold'), generation, message: moldMessage });
const fromWorker = v.object({ type: v.literal('from_worker'), generation, pid, message: workerMessage });

const processExited = v.object({
  type: v.literal('process_exited'),
  pid,
  exit_status: v.nullable(integer),
  signal: v.nullable(integer),
  minor_faults: integer,
  major_faults: integer,
  cpu_seconds: seconds,
  /** A worker's last counters. */
  counters: v.nullable(
    v.object({
      requests_started: nonNegative,
      requests_finished: nonNegative,
      response_errors: nonNegative,
      /** The whole row of the scoreboard; left out by a keeper of an older version. */
      row: v.optional(v.array(nonNegative)),
    }),
  ),
});

/** Everything that a keeper has, for the supervisor that adopts it. */
const inventory = v.object({
  type: v.literal('inventory'),
  protocol: integer,
  pid,
  executable: v.string(),
  python_version: v.string(),
  molds: v.array(
    v.object({
      generation: count,
      pid,
      configured: v.nullable(configured),
      ready: v.nullable(moldReady),
      has_listeners: v.boolean(),
      /** Slots with an unanswered fork order. */
      forking: v.array(count),
    }),
  ),
  workers: v.array(
    v.object({
      pid,
      slot: count,
      generation,
      forked_monotonic_ns: v.number(),
      scoreboard: count,
    }),
  ),
  listeners: v.array(v.object({ generation, names: v.array(v.string()) })),
  /** The latest ones, oldest first, whether a supervisor has received them or not. */
  endings: v.array(processExited),
  /** Messages received while there was no supervisor. */
  unheard: v.array(v.unknown()),
});
export type Inventory = v.InferOutput<typeof inventory>;

/** The keeper's messages. */
export const keeperMessage = v.variant('type', [
  v.object({
    type: v.literal('keeper_ready'),
    protocol: integer,
    pid,
    executable: v.string(),
    python_version: v.string(),
    implementation: v.string(),
    free_threaded: v.boolean(),
    /** Why no later supervisor can adopt this herd. */
    adoption_problem: v.nullish(v.string()),
  }),
  v.object({ type: v.literal('keeper_failed'), code: v.string(), detail: v.string() }),
  v.object({ type: v.literal('mold_started'), generation, pid }),
  v.object({ type: v.literal('listening'), generation, listeners: v.array(v.string()) }),
  v.object({
    type: v.literal('listen_failed'),
    generation,
    code: v.picklist(['ADDRESS_IN_USE', 'ADDRESS_UNAVAILABLE']),
    address: v.string(),
    reason: v.string(),
  }),
  processExited,
  fromMold,
  /** The kernel vouches for the pid; `scoreboard` is the keeper's descriptor of the worker's row. */
  v.object({
    type: v.literal('worker_forked'),
    generation,
    slot: count,
    pid,
    forked_monotonic_ns: v.number(),
    scoreboard: count,
  }),
  fromWorker,
  /** A message from this process was dropped; `pid` is null for a mold that has ended. */
  v.object({ type: v.literal('bad_message'), pid: v.nullable(pid), generation: count, reason: v.string() }),
  /** A command could not be carried out. */
  v.object({
    type: v.literal('command_failed'),
    command: v.string(),
    generation: v.nullable(integer),
    reason: v.string(),
  }),
  v.object({ type: v.literal('signal_failed'), pid, signal: integer }),
  /** The keeper responds; for each listener, the number of waiting connections and the limit. */
  v.object({
    type: v.literal('pulse'),
    queues: v.array(
      v.object({
        name: v.string(),
        waiting: count,
        most: count,
        /** The keeper's descriptor of the listener. */
        descriptor: v.optional(count),
      }),
    ),
  }),
  v.object({ type: v.literal('keeper_leaving') }),
  /** The keeper now also has the listeners of the keeper `pid`. */
  v.object({ type: v.literal('borrowed'), pid, protocol: integer }),
  v.object({ type: v.literal('borrow_failed'), code: v.string(), detail: v.string() }),
  /** The lender was told to give way. */
  v.object({ type: v.literal('taken_over'), adoption_problem: v.nullable(v.string()) }),
  v.object({ type: v.literal('lender_gone') }),
  inventory,
  /** The answer to a command on the adoption socket; `supervised`: whether there is a supervisor. */
  v.object({
    type: v.literal('looked'),
    protocol: integer,
    pid,
    supervised: v.boolean(),
    draining: v.boolean(),
    /**
     * Whether it lends its listeners to another herd's keeper, of any version (agent/cowherd_agent/keeper/lending.py).
     */
    lends: v.optional(v.boolean(), false),
    molds: v.array(pid),
    workers: v.array(pid),
  }),
  v.object({ type: v.literal('refused'), code: v.string(), detail: v.string() }),
]);
export type KeeperMessage = v.InferOutput<typeof keeperMessage>;

/** The supervisor's commands to a mold. */
export const moldCommand = v.variant('type', [
  v.object({ type: v.literal('fork'), slot: count }),
  v.object({
    type: v.literal('worker_exited'),
    pid,
    exit_status: v.nullable(integer),
    signal: v.nullable(integer),
  }),
  /** The number of workers was changed by a signal or a command. */
  v.object({ type: v.literal('workers_wanted'), count }),
  /** This worker is now the mold of another generation. */
  v.object({ type: v.literal('worker_retired'), pid }),
  v.object({ type: v.literal('reopen_logs') }),
  /** What gunicorn's arbiter would tell its logger: how many workers there are, and how many connections wait. */
  v.object({ type: v.literal('gauges'), workers: v.nullable(count), backlog: v.nullable(count) }),
  /** Let the kernel merge this mold's memory with that of others, and the memory of workers forked from now on. */
  v.object({ type: v.literal('merge_memory') }),
  /** Another mold with the same threads is being prepared: known schedulers pause. */
  v.object({ type: v.literal('pause_threads') }),
  /** The other mold has failed: schedulers resume. */
  v.object({ type: v.literal('resume_threads') }),
  /** `final`: the whole herd ends, and gunicorn's on_exit hook is called. */
  v.object({ type: v.literal('exit'), final: v.boolean() }),
]);
export type MoldCommand = v.InferOutput<typeof moldCommand>;

/** Why a mold is made: it is the herd's first one; it loads new code; it replaces a dead one; or it was a worker. */
const moldOccasion = v.picklist(['first', 'reload', 'replacement', 'refork']);
export type MoldOccasion = v.InferOutput<typeof moldOccasion>;

/** The order with which a mold starts; `rejected_policies` have failed their self-test here. */
export const moldOrder = v.object({
  generation,
  /** No mold uses it now; keepers of earlier versions require it. */
  runtime_directory: v.string(),
  log_format: v.picklist(['text', 'json']),
  cwd: v.string(),
  /** The supervisor is in the background already. */
  daemonized: v.boolean(),
  rejected_policies: v.array(remark),
  occasion: moldOccasion,
});
export type MoldOrder = v.InferOutput<typeof moldOrder>;

/** The supervisor's commands to the keeper. */
export const keeperCommand = v.variant('type', [
  v.object({
    type: v.literal('start_mold'),
    generation,
    mold: moldOrder,
    /** The interpreter. */
    python: v.string(),
    /** From this supervisor's version; the keeper may be older. */
    launcher: v.string(),
    arguments: v.array(v.string()),
    environment: v.record(v.string(), v.string()),
  }),
  v.object({
    type: v.literal('listen'),
    generation,
    ...listening,
    grace_seconds: seconds,
  }),
  v.object({ type: v.literal('give_listeners'), generation }),
  v.object({ type: v.literal('keep_listeners'), generations: v.array(generation) }),
  /** A socket file that goes with the keeper, if it is still this one: nobody else is sure to be there at the end. */
  v.object({ type: v.literal('remove_at_end'), path: v.string(), inode: count }),
  /** Refuse new connections; workers accept what is queued on the listeners. */
  v.object({ type: v.literal('turn_away') }),
  /** Make a worker that has sent `retired` a mold. */
  v.object({ type: v.literal('adopt_mold'), pid, generation, mold: moldOrder }),
  v.object({ type: v.literal('to_mold'), generation, message: moldCommand }),
  v.object({ type: v.literal('signal'), pid: integer, signal: integer }),
  /** Whether a mold yields the processor to all others (agent/cowherd_agent/keeper/background.py). */
  v.object({ type: v.literal('set_background'), pid, background: v.boolean() }),
  /** Answered by `pulse`. */
  v.object({ type: v.literal('pulse') }),
  /** sd_notify(3): `address` is the value of NOTIFY_SOCKET. */
  v.object({ type: v.literal('notify'), address: v.string(), text: v.string() }),
  /** Borrow the listeners of the keeper at this adoption socket. Answered by `borrowed` or `borrow_failed`. */
  v.object({ type: v.literal('borrow'), adoption_socket: v.string() }),
  /** Tell that keeper to end its herd. Answered by `taken_over`; `lender_gone` follows. */
  v.object({ type: v.literal('take_over') }),
  v.object({ type: v.literal('exit') }),
]);
export type KeeperCommand = v.InferOutput<typeof keeperCommand>;

/**
 * Commands on a keeper's adoption socket (agent/cowherd_agent/keeper/adoption_socket.py), from processes that did not
 * start it.
 */
export type VisitorCommand =
  /** Accept this supervisor; answered by `inventory`, or `refused`. */
  | { type: 'adopt'; protocol: number }
  /** Answered by `looked`. */
  | { type: 'look'; protocol: number }
  /** End the herd; only without a supervisor. Answered by `looked`, or `refused`. */
  | { type: 'drain'; protocol: number; quick: boolean };
