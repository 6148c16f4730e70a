/**
 * Schemas of what recycling, reforking and healing by rule remember, as parts of the herd file.
 *
 * A field that is missing has the value of a new herd. Fields have been added since herd files exist, and each of them
 * only helps.
 */
import * as v from 'valibot';
import { bytes, milliseconds } from '../../base/units.ts';
import { newHealMemory } from '../rules/heal-rules.ts';
import { newReforkMemory } from '../rules/refork-rules.ts';
import { count, finite, numbered, orNull, pid } from './schema-parts.ts';

/** Means and estimates may be fractions of a byte. */
const byteCount = v.pipe(finite, v.transform(bytes));
const duration = v.pipe(finite, v.minValue(0), v.transform(milliseconds));
const part = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const none = v.optional(count, 0);
const time = finite;

const recycleRule = v.picklist(['private', 'pss', 'rss', 'requests', 'age', 'herd_memory']);
const limit = v.union([finite, v.string()]);

const memoryWatch = v.object({
  limit: v.optional(limit, 0),
  latest: finite,
  over: count,
  fresh: v.boolean(),
  wasUnder: v.boolean(),
});

const recycleWatch = v.object({
  sampledAtMs: time,
  memory: v.object({ private: memoryWatch, pss: memoryWatch, rss: memoryWatch }),
  requests: v.object({ finished: count, atMs: time }),
  dueSinceMs: orNull(time),
});

export const recyclingState = v.object({
  counts: v.optional(
    v.object({ private: none, pss: none, rss: none, requests: none, age: none, herd_memory: none }),
    {},
  ),
  stopped: v.optional(v.array(v.object({ rule: recycleRule, because: v.string(), generation: count, limit })), []),
  watches: v.optional(numbered(recycleWatch), {}),
  marked: v.optional(numbered(recycleRule), {}),
  freshInARow: v.optional(v.object({ private: none, pss: none, rss: none }), {}),
  herd: v.optional(
    v.object({
      budget: orNull(v.object({ used: finite, limit: finite })),
      overSinceMs: orNull(time),
      lastPid: orNull(pid),
      goneAtMs: orNull(time),
      inARow: none,
    }),
    {},
  ),
});

const reforkReading = v.object({
  nowMs: time,
  herdPss: byteCount,
  candidates: v.array(v.object({ pid, private: orNull(byteCount), requests: count, forkedAtMs: v.optional(time, 0) })),
});

const reforkMemory = v.object({
  reforks: none,
  measuring: orNull(
    v.object({
      generation: count,
      pssBefore: byteCount,
      requestsBefore: v.pipe(finite, v.minValue(0)),
      estimated: byteCount,
    }),
  ),
  wins: v.optional(
    v.array(v.object({ generation: count, won: finite, wonPerWorker: finite, estimated: byteCount })),
    [],
  ),
  yieldPart: v.optional(part, newReforkMemory().yieldPart),
  steadySinceMs: orNull(time),
  lastEstimate: v.optional(finite, 0),
  notBeforeMs: v.optional(time, 0),
  failures: none,
  stoppedBecause: orNull(v.string()),
});

export const reforkState = v.object({
  rules: v.optional(reforkMemory, {}),
  atRest: orNull(reforkReading),
  seenRolloutAtMs: orNull(time),
});

const mergingSample = v.object({ fullScans: count, merged: byteCount });

const heal = v.object({
  startedAtMs: time,
  unsharedBefore: numbered(byteCount),
  estimated: byteCount,
  progress: orNull(v.object({ first: mergingSample, afterScan: mergingSample, scans: count, settled: v.boolean() })),
  ksmdBeforeMs: orNull(duration),
  ended: orNull(v.object({ atMs: time, ksmdMs: orNull(duration) })),
});

const healMemory = v.object({
  heals: none,
  heal: orNull(heal),
  wins: v.optional(
    v.array(v.object({ won: finite, estimated: byteCount, tookMs: duration, ksmdMs: orNull(duration) })),
    [],
  ),
  yieldPart: v.optional(part, newHealMemory().yieldPart),
  leftOver: v.optional(numbered(byteCount), {}),
  worthSinceMs: orNull(time),
  notBeforeMs: v.optional(time, 0),
  stoppedBecause: orNull(v.string()),
});

export const healState = v.object({
  rules: v.optional(healMemory, {}),
  problem: orNull(v.string()),
  seenRolloutAtMs: orNull(time),
});
