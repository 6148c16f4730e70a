/**
 * The profile format of pprof: a protocol buffer, compressed with gzip. Each sample has two values, faults and copied
 * bytes, and the cause as a label (`-tagfocus`).
 *
 * Source: https://github.com/google/pprof/blob/main/proto/profile.proto.
 */
import { gzipSync } from 'node:zlib';
import {
  Function as PprofFunction,
  Label,
  Line,
  Location,
  Profile as Pprof,
  Sample,
  StringTable,
  ValueType,
} from 'pprof-format';
import type { Profile } from '../profile/profile.ts';

export interface PprofFacts {
  readonly takenAt: Date;
  readonly seconds: number;
  readonly pageBytes: number;
}

export function pprofOf(profile: Profile, facts: PprofFacts): Uint8Array {
  const stringTable = new StringTable();
  const text = (value: string): number => stringTable.dedup(value);
  const faults = new ValueType({ type: text('faults'), unit: text('count') });
  // Ids begin at 1; 0 means none.
  const functions = profile.frames.map(
    ({ name, file }, index) =>
      new PprofFunction({ id: index + 1, name: text(name), systemName: text(name), filename: text(file) }),
  );
  const locations = profile.frames.map(
    (_, index) => new Location({ id: index + 1, line: [new Line({ functionId: index + 1 })] }),
  );
  const samples = profile.stacks
    .filter(({ frames }) => frames.length > 0)
    .map(
      ({ frames, cause, count }) =>
        new Sample({
          // Innermost first.
          locationId: frames.map((frame) => frame + 1).reverse(),
          value: [count, count * facts.pageBytes],
          label: [new Label({ key: text('cause'), str: text(cause) })],
        }),
    );
  const encoded = new Pprof({
    sampleType: [faults, new ValueType({ type: text('copied'), unit: text('bytes') })],
    sample: samples,
    location: locations,
    function: functions,
    stringTable,
    timeNanos: BigInt(facts.takenAt.getTime()) * 1_000_000n,
    durationNanos: BigInt(Math.round(facts.seconds * 1e9)),
    periodType: faults,
    period: 1,
  }).encode();
  return gzipSync(encoded);
}
