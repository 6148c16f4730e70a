/** The pages of a process that can hold objects and can be read: present ones, and those in swap. */
import type { Mapping } from '../../procfs/maps.ts';
import type { Subject } from '../pages/subject.ts';
import { CensusStopped } from './census-budget.ts';

export const PIECE_BYTES = 1 << 20;
/** A unit's number has to fit in 32 bits (`memory-image.ts`). */
const MOST_PIECES = 2 ** 32 / (PIECE_BYTES / 8);

export interface ReadableMemory {
  /** The addresses of the pieces with pages, by number, ascending. Piece 0 is none. */
  readonly starts: Float64Array;
  /** By page of these pieces: 1 if it can be read. A piece may have other pages too, such as a file's constants. */
  readonly isThere: Uint8Array;
  readonly bytes: number;
  /** Of these, the bytes in swap. Reading brings them back into memory. */
  readonly swappedBytes: number;
}

/** @throws CensusStopped if the process has more memory than can be numbered */
export function readableMemory(subject: Subject, pageBytes: number): ReadableMemory {
  const pagesAPiece = PIECE_BYTES / pageBytes;
  const starts = [0];
  const pieces = [new Uint8Array(pagesAPiece)];
  let [bytes, swappedBytes] = [0, 0];
  for (const { start, end } of subject.mappings.filter(canHoldObjects).toSorted((a, b) => a.start - b.start)) {
    const entries = subject.entries(start, end);
    for (let page = 0; page < entries.count; page += 1) {
      const isSwapped = entries.isSwapped(page);
      if (!isSwapped && !entries.isPresent(page)) continue;
      const address = start + page * pageBytes;
      const pieceStart = Math.floor(address / PIECE_BYTES) * PIECE_BYTES;
      if (starts.at(-1) !== pieceStart) {
        if (starts.length === MOST_PIECES) throw new CensusStopped('the process has more than 32 GiB of memory');
        starts.push(pieceStart);
        pieces.push(new Uint8Array(pagesAPiece));
      }
      (pieces.at(-1) ?? EMPTY)[(address - pieceStart) / pageBytes] = 1;
      bytes += pageBytes;
      if (isSwapped) swappedBytes += pageBytes;
    }
  }
  const isThere = new Uint8Array(starts.length * pagesAPiece);
  for (const [number, piece] of pieces.entries()) isThere.set(piece, number * pagesAPiece);
  return { starts: Float64Array.from(starts), isThere, bytes, swappedBytes };
}

const EMPTY = new Uint8Array(0);

/** Memory that can hold objects: private and writable. Elsewhere nothing can be counted or linked. */
function canHoldObjects({ private: isPrivate, readable, writable, path }: Mapping): boolean {
  return isPrivate && readable && writable && !path.startsWith('[stack');
}
