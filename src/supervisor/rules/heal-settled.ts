/**
 * When a heal is finished; pure.
 *
 * ksmd passes over all mergeable memory again and again. Its first pass notes a checksum of each page. The second puts
 * pages that have not changed since into its tree, and merges those that it finds there twice. The third merges pages
 * that the second had already passed (mm/ksm.c, cmp_and_merge_page). A heal has therefore settled after three passes,
 * when the last one has brought next to nothing. Under load some pages change between any two passes: they are never
 * merged, and not waited for.
 */
import { type Bytes, mebibytes } from '../../base/units.ts';

export interface MergingSample {
  /** ksmd's passes over the whole host since it was started. */
  readonly fullScans: number;
  /** Merged pages of the herd. */
  readonly merged: Bytes;
}

/** The progress of a heal. */
export interface HealProgress {
  readonly first: MergingSample;
  /** The first sample after the latest pass. */
  readonly afterScan: MergingSample;
  readonly scans: number;
  readonly settled: boolean;
}

const FEWEST_SCANS = 3;
/** What a pass must bring to make another one worthwhile: this part of all merged so far, and at least these bytes. */
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
