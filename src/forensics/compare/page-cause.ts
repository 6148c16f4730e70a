/**
 * Why a page is no longer shared, determined from the words that changed and from what these words are in the
 * reference's heap.
 */
import type { KeyTable } from '../../cpython/dict-keys.ts';
import { interpreterWrite, TYPE_NUMBERS, typeWrite } from '../../cpython/field-writes.ts';
import { GC_HEAD_BYTES, OBJECT, OBJECT_HEAD_BYTES } from '../../cpython/object-layout.ts';
import { parsePool, POOL_HEADER_BYTES } from '../../cpython/pymalloc.ts';
import type { ObjectType } from '../../cpython/types-outside.ts';
import { RANK } from '../pages/causes.ts';
import { type Chunk, type ChunkTable, isBookkeeping, memoryOf } from '../heap/glibc-chunks.ts';
import type { MemoryWindow } from '../pages/memory-window.ts';
import { DICT_KEYS, FREE_MEMORY, NO_OBJECT } from '../owners/owner-name.ts';
import type { OwnerTally, PageOwners } from '../owners/owners.ts';
import type { Region } from '../pages/page-states.ts';
import type { PoolIndex } from '../heap/pool-index.ts';
import { type InspectedInterpreter, keyTableIn, objectIn, PoolReading } from '../heap/pool-reading.ts';

/** A changed word. One object is reused for all, since there are millions. */
interface WrittenWord {
  readonly before: { low: number; high: number };
  readonly after: { low: number; high: number };
}

const WORD: WrittenWord = { before: { low: 0, high: 0 }, after: { low: 0, high: 0 } };

/** A window of the reference with the pools found in it; made once and used for every worker. */
export class ReferenceWindow {
  readonly window: MemoryWindow;
  readonly #interpreter: InspectedInterpreter | null;
  readonly #poolIndex: PoolIndex;
  readonly #pools = new Map<number, PoolReading | null>();

  constructor(window: MemoryWindow, interpreter: InspectedInterpreter | null, poolIndex: PoolIndex) {
    this.window = window;
    this.#interpreter = interpreter;
    this.#poolIndex = poolIndex;
  }

  get interpreter(): InspectedInterpreter | null {
    return this.#interpreter;
  }

  /** Drops the pools. Call it after reading another stretch into the window. */
  forget(): void {
    this.#pools.clear();
  }

  get poolBytes(): number | null {
    return this.#poolIndex.poolBytes;
  }

  /** The pool that an address lies in; null if it is in none. */
  poolAt(address: number): PoolReading | null {
    const { poolBytes } = this.#poolIndex;
    if (poolBytes === null || this.#interpreter === null || !this.#poolIndex.has(address)) return null;
    const start = Math.floor(address / poolBytes) * poolBytes;
    const known = this.#pools.get(start);
    if (known !== undefined) return known;
    const pool = parsePool(this.window.words, (start - this.window.start) / 4, poolBytes, start);
    const reading = pool === null ? null : new PoolReading(pool, this.window, this.#interpreter);
    this.#pools.set(start, reading);
    return reading;
  }
}

export interface PageQuestion {
  readonly reference: ReferenceWindow;
  readonly worker: MemoryWindow;
  readonly region: Region;
  /** The region's chunks, if it is the C library's heap. */
  readonly chunks: ChunkTable | null;
  /** The first address of the page, which both windows hold. */
  readonly address: number;
  readonly pageBytes: number;
  readonly tally: OwnerTally;
  /** Output: the page's owners; null if they are not asked for. */
  readonly owners: PageOwners | null;
  /** Output: the changed words are added to these counts, by the rank of their cause. */
  readonly words: Float64Array;
}

/** The rank of the page's cause: the highest of all its changed words. */
export function pageCause(question: PageQuestion): number {
  const { reference, worker, address, pageBytes, owners, words } = question;
  owners?.clear();
  // The written places are needed only to find the owners.
  const written = owners === null ? null : new WrittenPlaces();
  if (reference.window.hasSamePage(worker, address)) {
    if (owners !== null && written !== null) countOwners(question, owners, written, RANK.identical);
    return RANK.identical;
  }
  const before = reference.window.words;
  const after = worker.words;
  const pool = reference.poolAt(address);
  const first = (address - worker.start) / 4;
  const end = first + pageBytes / 4;
  let cause: number = RANK.identical;
  for (let index = first; index < end; index += 2) {
    if (before[index] === after[index] && before[index + 1] === after[index + 1]) continue;
    WORD.before.low = before[index] ?? 0;
    WORD.before.high = before[index + 1] ?? 0;
    WORD.after.low = after[index] ?? 0;
    WORD.after.high = after[index + 1] ?? 0;
    const at = worker.start + index * 4;
    const found = pool === null ? looseWordCause(question, at, WORD, written) : poolWordCause(pool, at, WORD, written);
    words[found] = (words[found] ?? 0) + 1;
    if (found > cause) cause = found;
  }
  if (owners !== null && written !== null) countOwners(question, owners, written, cause);
  return cause;
}

/** The written blocks and chunks of a page, to tell them from their unwritten neighbors. */
class WrittenPlaces {
  readonly blocks = new Set<number>();
  readonly others = new Map<number, number>();
}

function poolWordCause(pool: PoolReading, address: number, word: WrittenWord, written: WrittenPlaces | null): number {
  const block = pool.blockAt(address);
  if (block < 0) return RANK.allocator;
  written?.blocks.add(pool.startOf(block));
  if (pool.isFree(block)) return RANK.allocator;
  const type = pool.typeOf(block);
  const offset = address - pool.startOf(block);
  if (type !== null) return objectWordCause(type, offset, word);
  const table = pool.tableOf(block);
  return table === null ? RANK.payload : tableWordCause(table, offset, word);
}

function tableWordCause(table: KeyTable, offset: number, word: WrittenWord): number {
  // From 3.11 on dk_version is the upper half of the word at 8. Specializing code writes nothing else of the table.
  if (table.headerBytes === 32 && offset === 8 && word.before.low === word.after.low) return RANK.specialization;
  return table.isShared ? RANK['shared-keys'] : RANK.payload;
}

/** `offset` counts from the first byte of the object's memory, which is the start of its prefix. */
function objectWordCause(type: ObjectType, offset: number, word: WrittenWord): number {
  const field = offset - type.prefixBytes;
  if (field === OBJECT.refcount) return RANK.refcount;
  if (type.isGc && field < 0 && field >= -GC_HEAD_BYTES) return RANK['gc-header'];
  const own = interpreterWrite(type, field, word.before, word.after);
  return own === null ? RANK.payload : RANK[own];
}

/** The cause of a word outside pools: in the C library's heap, static data, or an arena's pages without a pool yet. */
function looseWordCause(
  question: PageQuestion,
  address: number,
  word: WrittenWord,
  written: WrittenPlaces | null,
): number {
  const { reference, region, chunks, tally } = question;
  const { window, interpreter } = reference;
  if (region.path.startsWith('[stack')) return RANK.native;
  if (interpreter === null) return RANK.unknown;
  const chunk = chunks?.at(address) ?? null;
  if (chunk !== null) {
    if (isBookkeeping(chunk, address)) return RANK.allocator;
    const type = chunkObject(window, chunk, interpreter);
    if (type !== null) {
      written?.others.set(tally.ownerOf(type, memoryOf(chunk), window, interpreter), chunk.bytes);
      return objectWordCause(type, address - memoryOf(chunk), word);
    }
    // From 3.11 on, the key tables that a class's instances share are too large for a pool.
    const table = keyTableIn(window, memoryOf(chunk), chunk.bytes - 8, interpreter);
    if (table !== null) {
      written?.others.set(tally.numberOf(DICT_KEYS), chunk.bytes);
      return tableWordCause(table, address - memoryOf(chunk), word);
    }
  }
  // No chunk tells where the object starts; the type pointer after a reference count does.
  const asCount = objectBehind(window, address, 0, interpreter);
  if (asCount !== null) {
    written?.others.set(tally.ownerOf(asCount, address - asCount.prefixBytes, window, interpreter), OBJECT_HEAD_BYTES);
    return RANK.refcount;
  }
  for (const distance of [GC_HEAD_BYTES, GC_HEAD_BYTES / 2]) {
    const type = objectBehind(window, address, distance, interpreter);
    if (type?.isGc === true) {
      const start = address + distance - type.prefixBytes;
      written?.others.set(tally.ownerOf(type, start, window, interpreter), OBJECT_HEAD_BYTES);
      return RANK['gc-header'];
    }
  }
  if (region.ofFile) return isOfBuiltinType(window, address, word, interpreter) ? RANK.specialization : RANK.native;
  if (chunk !== null) return RANK.payload;
  // A page of zeros in the reference may be one of an arena without a pool yet, where the worker has made a pool.
  return isUntouched(question) ? RANK.allocator : RANK.payload;
}

/** Whether a word is the version or number of a builtin type. These types lie among the interpreter's variables. */
function isOfBuiltinType(
  window: MemoryWindow,
  address: number,
  { before, after }: WrittenWord,
  interpreter: InspectedInterpreter,
): boolean {
  return TYPE_NUMBERS.some(
    (field) =>
      typeWrite(field, before, after) !== null &&
      // Checks first that the object is a type, since its own type pointer is in the window and costs no system call.
      objectBehind(window, address - field, 0, interpreter)?.isMetatype === true &&
      interpreter.types.at(address - field) !== null,
  );
}

/** The type of the object whose reference count is `distance` bytes after an address. */
function objectBehind(
  window: MemoryWindow,
  address: number,
  distance: number,
  interpreter: InspectedInterpreter,
): ObjectType | null {
  const typeAt = address + distance + OBJECT.type;
  return window.holds(typeAt) ? interpreter.types.at(window.pointer(typeAt)) : null;
}

function chunkObject(window: MemoryWindow, chunk: Chunk, interpreter: InspectedInterpreter): ObjectType | null {
  return objectIn(window, memoryOf(chunk), chunk.bytes - 8, interpreter.types);
}

function isUntouched({ reference, address, pageBytes }: PageQuestion): boolean {
  const { words, start } = reference.window;
  const first = (address - start) / 4;
  for (let index = first; index < first + pageBytes / 4; index += 1) if (words[index] !== 0) return false;
  return true;
}

/** Counts the owners of the memory on the page, and which of it was written. */
function countOwners(question: PageQuestion, owners: PageOwners, written: WrittenPlaces, cause: number): void {
  const { reference, region, address, pageBytes, tally } = question;
  const pool = reference.poolAt(address);
  if (pool !== null && reference.interpreter !== null) {
    countPool(pool, reference.interpreter, question, owners, written, cause);
    return;
  }
  for (const [owner, bytes] of written.others) owners.add(owner, bytes, true);
  if (written.others.size > 0) return;
  owners.add(tally.numberOf({ module: null, type: looseOwner(region) }), pageBytes, true);
}

function countPool(
  reading: PoolReading,
  interpreter: InspectedInterpreter,
  { reference, address, pageBytes, tally }: PageQuestion,
  owners: PageOwners,
  written: WrittenPlaces,
  cause: number,
): void {
  const { pool } = reading;
  const { window } = reference;
  const end = address + pageBytes;
  const poolBytes = reference.poolBytes ?? pageBytes;
  // A pool of 4 KiB is one page; a larger one covers several.
  const last = Math.min(pool.capacity - 1, reading.blockAt(Math.min(end, pool.address + poolBytes) - 1));
  let anyWritten = false;
  for (let block = Math.max(0, reading.blockAt(address)); block <= last; block += 1) {
    const start = reading.startOf(block);
    const bytes = Math.min(end, start + pool.blockBytes) - Math.max(address, start);
    const isFree = reading.isFree(block);
    const wasWritten = written.blocks.has(start);
    if (isFree && !wasWritten) continue;
    const type = isFree ? null : reading.typeOf(block);
    let owner: number;
    if (isFree) owner = tally.numberOf(FREE_MEMORY);
    else if (type === null) {
      const isTable = reading.tableOf(block) !== null;
      owner = tally.numberOf(isTable ? DICT_KEYS : NO_OBJECT);
    } else owner = tally.ownerOf(type, start, window, interpreter);
    // On an identical page, the collector wrote the headers of all objects that it tracks.
    const wasTraversed =
      cause === RANK.identical &&
      type !== null &&
      type.isGc &&
      window.pointer(start + type.prefixBytes - GC_HEAD_BYTES) !== 0;
    anyWritten ||= wasWritten || wasTraversed;
    owners.add(owner, bytes, wasWritten || wasTraversed);
  }
  if (!anyWritten && address === pool.address && cause === RANK.allocator) {
    owners.add(tally.numberOf(FREE_MEMORY), POOL_HEADER_BYTES, true);
  }
}

function looseOwner(region: Region): string {
  if (region.path === '') return '(other anonymous memory)';
  if (region.path.startsWith('[')) return `(${region.path.slice(1, -1)})`;
  return `(${region.path.slice(region.path.lastIndexOf('/') + 1)})`;
}
