/** A look saved to a file, to be compared with a later one: a code for each page, and no contents of memory. */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import * as v from 'valibot';
import { CowherdError, isSystemError } from '../../base/errors.ts';
import { firstIssue } from '../../base/first-issue.ts';
import { printable } from '../../base/printable.ts';
import { readBounded } from '../../base/safe-file.ts';
import { PAGE_CODES } from '../pages/page-map.ts';
import type { WorkerComparison } from '../compare/comparison.ts';
import { CAUSE_NAMES } from '../pages/causes.ts';

const SNAPSHOT_VERSION = 1;

/** Saved with the codes, since a later version may number them in another way. */
const CODE_NAMES: readonly string[] = [...PAGE_CODES, ...CAUSE_NAMES];

const header = v.object({ cowherd_why_snapshot: v.number() });

const snapshotFile = v.object({
  cowherd_why_snapshot: v.literal(SNAPSHOT_VERSION),
  taken_at: v.string(),
  page_bytes: v.pipe(v.number(), v.integer(), v.minValue(1)),
  reference_pid: v.pipe(v.number(), v.integer()),
  codes: v.pipe(v.array(v.string()), v.maxLength(255)),
  workers: v.array(
    v.object({
      pid: v.pipe(v.number(), v.integer()),
      /** In ticks since boot. Distinguishes the worker from a later process with the same pid. */
      started_at: v.number(),
      regions: v.array(v.object({ start: v.number(), pages: v.string() })),
    }),
  ),
});

export interface SnapshotWorker {
  readonly pid: number;
  readonly startedAt: number;
  /** For each page of a region the code of its state or cause, an index into `codeNames`. */
  readonly regions: readonly { readonly start: number; readonly codes: Uint8Array }[];
}

export interface Snapshot {
  readonly takenAt: string;
  readonly pageBytes: number;
  readonly referencePid: number;
  readonly codeNames: readonly string[];
  readonly workers: readonly SnapshotWorker[];
}

/** @param startedAt when a process was started, in ticks; workers for which it is null are left out */
export function snapshotOf(
  comparisons: readonly WorkerComparison[],
  facts: { readonly takenAt: string; readonly pageBytes: number; readonly referencePid: number },
  startedAt: (pid: number) => number | null,
): Snapshot {
  return {
    ...facts,
    codeNames: CODE_NAMES,
    workers: comparisons.flatMap(({ pid, map }) => {
      const started = startedAt(pid);
      if (started === null) return [];
      return [{ pid, startedAt: started, regions: map.map(({ region, codes }) => ({ start: region.start, codes })) }];
    }),
  };
}

export function encodeSnapshot(snapshot: Snapshot): string {
  const file: v.InferOutput<typeof snapshotFile> = {
    cowherd_why_snapshot: SNAPSHOT_VERSION,
    taken_at: snapshot.takenAt,
    page_bytes: snapshot.pageBytes,
    reference_pid: snapshot.referencePid,
    codes: [...snapshot.codeNames],
    workers: snapshot.workers.map(({ pid, startedAt, regions }) => ({
      pid,
      started_at: startedAt,
      regions: regions.map(({ start, codes }) => ({ start, pages: deflateRawSync(codes).toString('base64') })),
    })),
  };
  return `${JSON.stringify(file)}\n`;
}

/**
 * The limit for all workers' regions together: 1 TiB of memory, with one byte here for each page. A compressed file of
 * a few megabytes can claim thousands of times its size.
 */
const MOST_PAGES = 2 ** 28;

/** The limit for the file; 64 workers with a heap of 2 GiB each need some 10 MB. */
const MOST_BYTES = 256 * 1024 * 1024;

/** @throws CowherdError SNAPSHOT_UNREADABLE */
export function readSnapshot(path: string): Snapshot {
  let text: string;
  try {
    text = readBounded(path, { mostBytes: MOST_BYTES }).toString('utf8');
  } catch (error) {
    const why = isSystemError(error) ? error.code : (error as Error).message;
    throw new CowherdError('SNAPSHOT_UNREADABLE', { detail: `${path} (${why})`, cause: error });
  }
  return decodeSnapshot(text, path);
}

/** @throws CowherdError SNAPSHOT_UNREADABLE */
export function decodeSnapshot(text: string, name: string): Snapshot {
  try {
    const file = fileIn(JSON.parse(text));
    let left = MOST_PAGES;
    const inflate = (pages: string): Uint8Array => {
      const codes = new Uint8Array(
        inflateRawSync(Buffer.from(pages, 'base64'), { maxOutputLength: Math.max(1, left) }),
      );
      left -= codes.length;
      if (left < 0) throw new Error(`it has more than ${MOST_PAGES} pages`);
      return codes;
    };
    return {
      takenAt: file.taken_at,
      pageBytes: file.page_bytes,
      referencePid: file.reference_pid,
      codeNames: file.codes,
      workers: file.workers.map(({ pid, started_at: startedAt, regions }) => ({
        pid,
        startedAt,
        regions: regions.map(({ start, pages }) => ({
          start,
          codes: inflate(pages),
        })),
      })),
    };
  } catch (error) {
    const why = printable(error instanceof Error ? error.message : String(error));
    throw new CowherdError('SNAPSHOT_UNREADABLE', { detail: `${name} (${why})`, cause: error });
  }
}

/** @throws an error that says in one line why the data is not a snapshot of this version */
function fileIn(data: unknown): v.InferOutput<typeof snapshotFile> {
  const read = v.safeParse(header, data);
  if (!read.success) throw new Error(`it is not a snapshot: ${firstIssue(read.issues)}`);
  const version = read.output.cowherd_why_snapshot;
  if (version !== SNAPSHOT_VERSION) throw new Error(`it is a snapshot of version ${version}, not ${SNAPSHOT_VERSION}`);
  const file = v.safeParse(snapshotFile, data, { abortEarly: true });
  if (!file.success) throw new Error(firstIssue(file.issues));
  return file.output;
}
