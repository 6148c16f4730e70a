/**
 * The key table of a dict, `PyDictKeysObject`. It is not an object, but has a memory block of its own.
 *
 * Sources: Include/internal/pycore_dict.h and Objects/dictobject.c (3.11 to 3.15), Objects/dict-common.h (3.9, 3.10).
 *
 *               3.11 and newer                                        3.9, 3.10
 *      0        reference count                                       reference count
 *      8        log2 of the size, log2 of the index's bytes, kind,    size
 *               and an uninitialized byte
 *     12        version (32 bits)
 *     16        usable                                                look-up function
 *     24        entries                                               usable
 *     32        index                                                 entries
 *     40                                                              index
 */

export interface KeyTable {
  /** Shared by the instances of a class (PEP 412). A new attribute and a class's first instance write it. */
  readonly isShared: boolean;
  /** The size of the header, after which the index starts. */
  readonly headerBytes: number;
  readonly entriesAt: number;
  readonly entryBytes: number;
  readonly entries: number;
}

const KIND_SPLIT = 2;
const KIND_GENERAL = 0;
/** Larger tables belong to dicts that hold data. The keys shared by instances have 6 in 3.11 and newer. */
const LARGEST_LOG2_SIZE = 8;
const LARGEST_REFERENCES = 1 << 24;

/** USABLE_FRACTION: two thirds. */
const usableOf = (size: number): number => Math.floor((size << 1) / 3);

/**
 * The key table of 3.11 or newer in a block, or in memory that malloc returned; null if there is none.
 *
 * @param words memory as 32-bit words, `first` the index of the block's first word among them
 */
export function parseKeyTable(words: Uint32Array, first: number, blockBytes: number): KeyTable | null {
  const references = words[first] ?? 0;
  if (references === 0 || references > LARGEST_REFERENCES || words[first + 1] !== 0) return null;
  const sizes = words[first + 2] ?? 0;
  const log2Size = sizes & 0xff;
  const log2IndexBytes = (sizes >> 8) & 0xff;
  const kind = (sizes >> 16) & 0xff;
  if (log2Size < 3 || log2Size > LARGEST_LOG2_SIZE || kind > KIND_SPLIT) return null;
  if (log2IndexBytes !== log2Size && log2IndexBytes !== log2Size + 1) return null;
  const usable = words[first + 4] ?? 0;
  const entries = words[first + 6] ?? 0;
  if (words[first + 5] !== 0 || words[first + 7] !== 0) return null;
  if (usable + entries > usableOf(2 ** log2Size)) return null;
  const entryBytes = kind === KIND_GENERAL ? 24 : 16;
  const entriesAt = 32 + 2 ** log2IndexBytes;
  if (entriesAt + entries * entryBytes > blockBytes) return null;
  return { isShared: kind === KIND_SPLIT, headerBytes: 32, entriesAt, entryBytes, entries };
}

/** The same for 3.9 and 3.10. `isCode` tells whether an address is in executable memory. */
export function parseOldKeyTable(
  words: Uint32Array,
  first: number,
  blockBytes: number,
  isCode: (address: number) => boolean,
): KeyTable | null {
  const at = (offset: number): number =>
    (words[first + offset / 4 + 1] ?? 0) * 2 ** 32 + (words[first + offset / 4] ?? 0);
  const references = at(0);
  const size = at(8);
  if (references === 0 || references > LARGEST_REFERENCES) return null;
  if (size < 8 || size > 2 ** LARGEST_LOG2_SIZE || (size & (size - 1)) !== 0) return null;
  const usable = at(24);
  const entries = at(32);
  if (usable + entries > usableOf(size)) return null;
  const entriesAt = 40 + (size <= 0xff ? size : size * 2);
  if (entriesAt + entries * 24 > blockBytes || !isCode(at(16))) return null;
  // A shared table belongs to several dicts, or to a class without instances, and never contains values.
  let values = 0;
  for (let entry = 0; entry < entries; entry += 1) if (at(entriesAt + entry * 24 + 16) !== 0) values += 1;
  return { isShared: references > 1 || values === 0, headerBytes: 40, entriesAt, entryBytes: 24, entries };
}
