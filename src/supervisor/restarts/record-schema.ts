/**
 * The schema of a line of a history. Fields that are not known here are kept: a later Cowherd may have added them under
 * the same version.
 */
import * as v from 'valibot';
import { type ProcessRole, RECORD_VERSION, type RestartKind, type RestartRecord } from './restart-record.ts';

const number = v.pipe(v.number(), v.finite());

/** A name from a list that may have grown: only its type is checked. */
const word = <Name extends string>() => v.custom<Name>((value) => typeof value === 'string');

export const restartRecord: v.GenericSchema<unknown, RestartRecord> = v.looseObject({
  version: v.literal(RECORD_VERSION),
  kind: word<RestartKind>(),
  by: v.string(),
  from: number,
  to: v.nullable(number),
  started: v.string(),
  duration_seconds: number,
  settled_seconds: number,
  failure: v.nullable(v.string()),
  workers: number,
  host: v.nullable(
    v.looseObject({
      memory_total: number,
      memory_free_before: number,
      memory_free_lowest: number,
      memory_available_before: number,
      memory_available_lowest: number,
      page_cache_before: number,
      page_cache_lost: number,
    }),
  ),
  herd_pss_peak: v.nullable(number),
  faults: v.looseObject({
    minor: number,
    major: number,
    processes: v.array(
      v.looseObject({
        pid: number,
        role: word<ProcessRole>(),
        generation: v.nullable(number),
        minor: number,
        major: number,
      }),
    ),
  }),
  requests: v.looseObject({ answered: number, errors: number, cut: number }),
});
