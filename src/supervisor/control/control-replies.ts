/**
 * Checks that a supervisor's reply has the form that the command was written for. Unknown fields come from a newer
 * supervisor, and are kept. A field added after the first release has a default here, for an older supervisor that is
 * still running.
 */
import * as v from 'valibot';
import type { ControlReply } from './control-messages.ts';
import type { RecycleRule } from '../rules/recycling-state.ts';
import type { MoldState, Predecessor, Rollout, RolloutKind, WorkerState } from '../herd/state.ts';
import { type MemoryReport, STATUS_VERSION, type StatusReport } from './status.ts';

/** A name from a list that may have grown: only its type is checked. */
const word = <Name extends string>() => v.custom<Name>((value) => typeof value === 'string');

const number = v.number();
const pid = v.pipe(v.number(), v.integer(), v.minValue(1));
const orNull = v.nullable;

const memory: v.GenericSchema<unknown, MemoryReport> = v.looseObject({
  rss: number,
  pss: number,
  shared: number,
  private: number,
  unshared: number,
  fresh: number,
});

const herd: v.GenericSchema<unknown, StatusReport['herd']> = v.looseObject({
  phase: word<StatusReport['herd']['phase']>(),
  app: orNull(v.string()),
  policy: orNull(v.string()),
  generation: number,
  rollout: orNull(
    v.looseObject({
      kind: word<RolloutKind>(),
      by: v.string(),
      from: number,
      to: number,
      phase: word<Rollout['phase']>(),
    }),
  ),
  last_rollout: orNull(
    v.looseObject({
      kind: word<RolloutKind>(),
      by: v.string(),
      from: number,
      to: number,
      seconds: number,
      ended_seconds_ago: number,
      failure: orNull(v.string()),
    }),
  ),
  crash_loop: orNull(
    v.looseObject({ deaths: number, since_seconds: number, last_error: v.string(), next_fork_in_seconds: number }),
  ),
  refork: v.looseObject({
    count: number,
    stopped: orNull(v.string()),
    wins: v.array(v.looseObject({ generation: number, won: number, won_per_worker: number, estimated: number })),
  }),
  heal: v.looseObject({
    on: v.boolean(),
    count: number,
    under_way_seconds: orNull(number),
    stopped: orNull(v.string()),
    wins: v.array(v.looseObject({ won: number, estimated: number, seconds: number, ksmd_cpu_seconds: orNull(number) })),
  }),
  recycling: v.looseObject({
    counts: v.custom<StatusReport['herd']['recycling']['counts']>((value) => v.is(v.record(v.string(), number), value)),
    stopped: v.array(v.looseObject({ rule: word<RecycleRule>(), because: v.string() })),
    budget: orNull(v.looseObject({ used: number, limit: number })),
  }),
  guard_calls: v.array(
    v.looseObject({
      function: v.string(),
      package: v.string(),
      file: v.string(),
      line: number,
      held: v.boolean(),
      workers: number,
    }),
  ),
  workers_wanted: number,
  workers_ready: number,
  not_ready_because: orNull(v.string()),
  requests: number,
  in_flight: number,
  age_seconds: number,
  listeners: v.array(v.string()),
  // Missing from supervisors of older versions.
  folder: v.optional(v.string(), ''),
  runtime_directory: v.string(),
  python: v.string(),
  supervisor: v.looseObject({ pid, rss: number }),
  keeper: v.looseObject({ pid: orNull(pid), rss: orNull(number), silent_seconds: orNull(number) }),
  listen_queues: v.array(v.looseObject({ listener: v.string(), waiting: number, most: number })),
  // Missing from supervisors of older versions.
  predecessor: v.optional(
    orNull(v.looseObject({ keeper: pid, protocol: number, phase: word<Predecessor['phase']>() })),
    null,
  ),
  memory: v.looseObject({
    pss: number,
    shared: number,
    private: number,
    unshared: number,
    fresh: number,
    workers_sampled: number,
    saved_against_sharing_nothing: number,
  }),
  sampling: v.looseObject({ budget_percent: number, spent_percent: number }),
  host: v.looseObject({ memory_total: number, memory_free: number, memory_available: number, page_cache: number }),
});

const status: v.GenericSchema<unknown, StatusReport> = v.looseObject({
  version: v.literal(STATUS_VERSION),
  herd,
  molds: v.array(
    v.looseObject({
      generation: number,
      pid: orNull(pid),
      phase: word<MoldState['phase']>(),
      policy: orNull(v.string()),
      ready_after_seconds: orNull(number),
      remarks: v.array(v.looseObject({ policy: v.string(), reason: v.string() })),
      report: v.record(v.string(), v.unknown()),
      memory: orNull(memory),
    }),
  ),
  workers: v.array(
    v.looseObject({
      pid,
      slot: number,
      generation: number,
      state: word<WorkerState['phase']>(),
      replace_because: orNull(v.string()),
      age_seconds: number,
      requests: number,
      in_flight: number,
      response_errors: number,
      memory: orNull(memory),
      minor_faults: orNull(number),
      major_faults: orNull(number),
      sampled_seconds_ago: orNull(number),
      heartbeat_seconds_ago: orNull(number),
      collections: v.looseObject({
        outside_requests: number,
        outside_requests_seconds: number,
        inside_requests: number,
        inside_requests_seconds: number,
        objects_freed: number,
      }),
      guard: v.looseObject({ held: number, reported: number }),
    }),
  ),
});

const reply: v.GenericSchema<unknown, ControlReply> = v.variant('type', [
  v.looseObject({ type: v.literal('status'), report: status }),
  v.looseObject({ type: v.literal('stopping'), pid }),
  v.looseObject({
    type: v.literal('answered'),
    accepted: v.boolean(),
    text: v.string(),
    generation: orNull(number),
  }),
  v.looseObject({ type: v.literal('refused'), reason: v.string() }),
]);

/** Returns a reply, or what is wrong with it. */
export function understood(line: string): ControlReply | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return 'a reply that is not JSON';
  }
  const result = v.safeParse(reply, parsed);
  if (result.success) return result.output;
  const [issue] = result.issues;
  return `a reply with an unexpected value of ${v.getDotPath(issue) ?? 'the whole'}`;
}
