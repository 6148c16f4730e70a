/**
 * The schema of the herd's state in the herd file; its output is exactly a {@link HerdState}, which a test has the
 * compiler prove.
 *
 * Every version has written the fields that say what a process is, how far it has come, and what the herd wants: they
 * are required. Any other field may be missing from the file of an older version, and then has the value that it has in
 * a new herd. Fields that are not known here come from a newer version, and are dropped.
 */
import * as v from 'valibot';
import { remark, settings } from '../../agent/messages.ts';
import { MOST_WORKERS } from '../herd/state.ts';
import { noDurations, startTallies } from '../herd/tallies.ts';
import { count, finite, numbered, orNull, pid } from './schema-parts.ts';
import { healState, recyclingState, reforkState } from './upkeep-schema.ts';

const time = finite;
const no = v.optional(v.boolean(), false);
const none = v.optional(count, 0);
const texts = v.array(v.string());
const remarks = v.optional(v.array(remark), []);
const coded = v.object({ code: v.string(), detail: v.string() });

const moldState = v.object({
  generation: count,
  pid: v.nullable(pid),
  phase: v.picklist(['starting', 'loading', 'ready', 'failed', 'leaving']),
  settings: orNull(settings),
  listeners: orNull(texts),
  policy: orNull(v.string()),
  remarks,
  report: v.optional(v.record(v.string(), v.unknown()), {}),
  backgroundSinceMs: orNull(time),
  startedAtMs: time,
  readyAtMs: orNull(time),
  rejectedPolicies: remarks,
  dismissedAtMs: orNull(time),
  threads: none,
  leavesAfterWorkersBefore: orNull(count),
});

const inFlight = v.object({
  requests: v.array(v.object({ method: v.string(), path: v.string(), seconds: v.nullable(finite) })),
  responseErrors: count,
  toldAtMs: time,
});

const workerState = v.object({
  pid,
  slot: count,
  generation: count,
  phase: v.picklist(['booting', 'ready', 'draining', 'aborted', 'retiring']),
  forkedAtMs: time,
  readyAtMs: orNull(time),
  requestsFinished: none,
  drainedAtMs: orNull(time),
  askedWhatItDoes: no,
  inFlight: orNull(inFlight),
  replaceBecause: orNull(v.string()),
  failure: orNull(coded),
  abortedAtMs: orNull(time),
  stack: orNull(v.string()),
});

const change = {
  kind: v.picklist(['reload', 'refork', 'rollback']),
  by: v.string(),
  from: count,
  to: count,
  startedAtMs: time,
};

const rollout = v.object({
  ...change,
  phase: v.picklist(['mold', 'trial', 'rolling']),
  retiring: orNull(v.object({ pid, toldAtMs: orNull(time) })),
  deaths: none,
  targetBefore: v.pipe(count, v.maxValue(MOST_WORKERS)),
});

const rolloutOutcome = v.object({ ...change, endedAtMs: time, failure: orNull(v.string()) });

const stopState = v.object({
  exitStatus: count,
  error: orNull(coded),
  startedAtMs: time,
  quick: no,
  killAtMs: time,
  moldsToldAtMs: orNull(time),
  keeperTold: no,
});

const guardCall = v.object({
  function: v.string(),
  package: v.string(),
  file: v.string(),
  line: v.pipe(v.number(), v.integer()),
  held: v.boolean(),
  workers: count,
});

const keeperPulse = v.object({
  heardAtMs: time,
  isSilent: no,
  queues: v.optional(v.array(v.object({ name: v.string(), waiting: count, most: count })), []),
});

const predecessor = v.object({
  keeperPid: pid,
  protocol: v.pipe(v.number(), v.integer()),
  phase: v.picklist(['serving', 'leaving', 'gone']),
});

const total = v.pipe(finite, v.minValue(0));
const slotTotals = v.object({
  requests: count,
  responseErrors: count,
  busySeconds: total,
  collectionsOutside: count,
  collectionsOutsideSeconds: total,
  collectionsInside: count,
  collectionsInsideSeconds: total,
  guardHeld: count,
  guardReported: count,
  minorFaults: count,
  majorFaults: count,
});

const tallies = v.object({
  slots: numbered(slotTotals),
  durations: v.object({ seconds: total, buckets: v.pipe(v.array(count), v.length(noDurations().buckets.length)) }),
  deaths: v.record(v.string(), count),
  moldDeaths: count,
  rollouts: v.record(v.string(), count),
  lastReloadAtMs: v.nullable(time),
});

/** Keys that differ from what is under them would lead a signal to another process. */
const molds = v.pipe(
  numbered(moldState),
  v.check((all) => Object.entries(all).every(([key, { generation }]) => Number(key) === generation), mislaid),
);
const workers = v.pipe(
  numbered(workerState),
  v.check((all) => Object.entries(all).every(([key, worker]) => Number(key) === worker.pid), mislaid),
);

function mislaid(): string {
  return 'one of them is under the number of another';
}

export const herdState = v.object({
  phase: v.picklist(['starting', 'serving', 'stopping', 'ended']),
  settings: v.nullable(settings),
  keeperPid: v.nullable(pid),
  listeners: orNull(texts),
  target: v.pipe(count, v.maxValue(MOST_WORKERS)),
  generation: count,
  newestGeneration: count,
  rollout: orNull(rollout),
  reloadAgain: orNull(v.string()),
  previous: orNull(v.object({ generation: count, untilMs: time })),
  lastRollout: orNull(rolloutOutcome),
  molds,
  nextMold: orNull(v.object({ atMs: time, rejectedPolicies: remarks })),
  moldDeathsInARow: none,
  workers,
  forking: v.optional(numbered(v.object({ generation: count, askedAtMs: time })), {}),
  deathsInARow: none,
  forkNotBeforeMs: v.optional(time, 0),
  crashLoop: orNull(v.object({ startedAtMs: time, deaths: count, lastError: v.string() })),
  recycling: v.optional(recyclingState, {}),
  refork: v.optional(reforkState, {}),
  heal: v.optional(healState, {}),
  guardCalls: v.optional(v.array(guardCall), []),
  tallies: v.optional(tallies, startTallies),
  anyWorkerEverReady: no,
  requestsOfGone: none,
  announcedReady: no,
  stop: orNull(stopState),
  afresh: orNull(v.object({ orphansGone: no, notBeforeMs: time })),
  keeperDeathsInARow: none,
  keeperReadyAtMs: orNull(time),
  keeperPulse: orNull(keeperPulse),
  predecessor: orNull(predecessor),
});
