/**
 * When a heal has come to its end; pure.
 *
 * ksmd goes over all memory that may be merged again and again. In its first pass it notes a checksum of each page, in
 * the second one it takes those that have not changed since into its tree, and merges what it finds there twice; the
 * third one merges what the second had passed already (mm/ksm.c, cmp_and_merge_page). So a heal has settled when three
 * passes are through and the last has brought next to nothing. Under load some pages change between any two passes:
 * those are never merged, and not waited for.
 */
import { type Bytes, mebibytes } from '../../base/units.ts';

export interface MergingSample {
  /** Passes of ksmd over the whole host, since it was started. */
  readonly fullScans: number;
  /** Pages of the herd that are merged ones. */
  readonly merged: Bytes;
}

/** How far a heal is. */
export interface HealProgress {
  readonly first: MergingSample;
  /** The first sample after the latest pass. */
  readonly afterScan: MergingSample;
  readonly scans: number;
  readonly settled: boolean;
}

const FEWEST_SCANS = 3;
/** What a pass must bring for another one to be worth waiting for: a part of all so far, and at least so much. */
const WORTH_PART = 0.02;
const WORTH_BYTES = mebibytes(1);

export function begin(first: MergingSample): HealProgress {
  return { first, afterScan: first, scans: 0, settled: false };
}

export function follow(progress: HealProgress, sample: MergingSample): HealProgress {
  const { first, afterScan } = progress;
  if (progress.settled || sample.fullScans <= afterScan.fullScans) return progress;
  const scans = sample.fullScans - first.fullScans;
  const worth = Math.max(WORTH_BYTES, (sample.merged - first.merged) * WORTH_PART);
  const settled = scans >= FEWEST_SCANS && sample.merged - afterScan.merged < worth;
  return { first, afterScan: sample, scans, settled };
}
