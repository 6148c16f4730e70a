/**
 * Types of a running interpreter, read from outside at the addresses that objects refer to.
 *
 * Of a type only its name is read, and `__module__` of a class. Sources: see object-layout.ts.
 */
import type { MemoryReader } from '../base/memory-reader.ts';
import { moduleOfFile } from './module-of-file.ts';
import { DICT, GC_HEAD_BYTES, OBJECT, PRE_HEADER_BYTES, STRING, TYPE, TYPE_FLAGS } from './object-layout.ts';

export interface ObjectType {
  readonly address: number;
  readonly name: string;
  /** For a class its `__module__`; null if it can't be read. */
  readonly module: string | null;
  /** Bytes before each of its objects in the same block: the collector's header and the pre-header. */
  readonly prefixBytes: number;
  readonly isGc: boolean;
  /** Made by a `class` statement or from a specification, in allocated memory. */
  readonly isHeapType: boolean;
  /** Its instances are types. */
  readonly isMetatype: boolean;
}

const LONGEST_NAME = 256;
const LONGEST_PATH = 1024;
const FILE = /^(?:[ -~]+\.py|<frozen [\w.]+>)$/;
const LAST_CODE_POINT = 0x10_ffff;
const DEEPEST_METATYPE = 4;
/** Further entries of a table are not looked at; a class has fewer names. */
const MOST_ENTRIES = 512;
/** The bits of a string's state. */
const IS_COMPACT = 1 << 5;
const IS_ASCII = 1 << 6;
/** So many names, and so many places of types, are remembered. An application has fewer. */
const MOST_KEPT = 1 << 18;
/** The size of the cache, a power of two. */
const RECENT = 4096;
const NAME = /^[\p{L}\p{N}_.<>[\], -]+$/u;

export class TypeTable {
  readonly #memory: MemoryReader;
  readonly #known = new Map<number, ObjectType | null>();
  readonly #recentAddresses = new Float64Array(RECENT);
  readonly #recentTypes: (ObjectType | null)[] = Array.from({ length: RECENT }, () => null);
  readonly #fileModules = new Map<number, string | null>();
  readonly #names = new Map<number, string | null>();
  readonly #mayBeType: (address: number) => boolean;
  readonly #isMapped: (address: number) => boolean;
  readonly #hasPreHeaders: boolean;
  readonly #hasNewKeys: boolean;
  readonly #asciiDataAt: number;
  readonly #otherDataAt: number;
  readonly #scratch = new Uint8Array(TYPE.readBytes);
  readonly #view = new DataView(this.#scratch.buffer);

  /**
   * @param minor the minor version of Python 3
   * @param mayBeType whether a type may be at an address; spares the system calls for most wrong guesses
   * @param isMapped whether an address may be read
   */
  constructor(
    memory: MemoryReader,
    minor: number,
    mayBeType: (address: number) => boolean,
    isMapped: (address: number) => boolean,
  ) {
    this.#memory = memory;
    this.#mayBeType = mayBeType;
    this.#isMapped = isMapped;
    this.#hasPreHeaders = minor >= 11;
    this.#hasNewKeys = minor >= 11;
    this.#asciiDataAt = STRING.asciiData[minor >= 12 ? 1 : 0];
    this.#otherDataAt = STRING.otherData[minor >= 12 ? 1 : 0];
  }

  /** The type at an address; null if there is none. */
  at(address: number): ObjectType | null {
    // This cache helps because it is asked for every object, and neighbors in a pool have the same types.
    const place = (address >>> 4) & (RECENT - 1);
    if (this.#recentAddresses[place] === address) return this.#recentTypes[place] ?? null;
    // Most words that are not types are not remembered, since there are millions.
    if (address % 8 !== 0 || !this.#mayBeType(address)) return null;
    const known = this.#known.get(address);
    const type = known === undefined ? this.#learn(address, 0) : known;
    this.#recentAddresses[place] = address;
    this.#recentTypes[place] = type;
    return type;
  }

  #learn(address: number, depth: number): ObjectType | null {
    const found = this.#examine(address, depth);
    if (this.#known.size === MOST_KEPT) this.#known.clear();
    this.#known.set(address, found);
    return found;
  }

  #examine(address: number, depth: number): ObjectType | null {
    if (address === 0 || address % 8 !== 0 || depth > DEEPEST_METATYPE || !this.#mayBeType(address)) return null;
    if (!this.#memory.read(address, this.#scratch)) return null;
    const metatype = this.#pointer(OBJECT.type);
    const flags = this.#view.getUint32(TYPE.flags, true);
    const nameAt = this.#pointer(TYPE.name);
    const dict = this.#pointer(TYPE.dict);
    const isMetatype = (flags & TYPE_FLAGS.typeSubclass) !== 0;
    if (metatype !== address) {
      const meta = this.#known.get(metatype) ?? this.#learn(metatype, depth + 1);
      if (meta === null || !meta.isMetatype) return null;
    } else if (!isMetatype) {
      // Only `type` is an instance of itself.
      return null;
    }
    const name = this.#cString(nameAt);
    if (name === null || !NAME.test(name)) return null;
    const isGc = (flags & TYPE_FLAGS.haveGc) !== 0;
    const managed = (flags & (TYPE_FLAGS.managedDict | TYPE_FLAGS.managedWeakref)) !== 0;
    const isHeapType = (flags & TYPE_FLAGS.heapType) !== 0;
    const dot = name.lastIndexOf('.');
    return {
      address,
      name: dot < 0 ? name : name.slice(dot + 1),
      module: isHeapType ? this.#moduleOf(dict) : dot < 0 ? 'builtins' : name.slice(0, dot),
      prefixBytes: (isGc ? GC_HEAD_BYTES : 0) + (this.#hasPreHeaders && managed ? PRE_HEADER_BYTES : 0),
      isGc,
      isHeapType,
      isMetatype,
    };
  }

  /** The value of `__module__` in a class's dict, which all Python classes and most C classes have. */
  #moduleOf(dict: number): string | null {
    const header = this.#block(dict, 48);
    if (header === null) return null;
    const keys = pointerIn(header, DICT.keys);
    const table = this.#block(keys, 40);
    if (table === null) return null;
    const view = new DataView(table.buffer);
    const { at, entryBytes, entries } = this.#hasNewKeys ? newTable(view) : oldTable(view);
    if (!(entries > 0)) return null;
    const all = this.#block(keys + at, Math.min(entries, MOST_ENTRIES) * entryBytes);
    if (all === null) return null;
    for (let entry = 0; entry + entryBytes <= all.length; entry += entryBytes) {
      const key = pointerIn(all, entry + entryBytes - 16);
      if (this.nameAt(key, 10) === '__module__') {
        return this.nameAt(pointerIn(all, entry + entryBytes - 8), LONGEST_NAME);
      }
    }
    return null;
  }

  /** The string at an address, if it is a name; else null. */
  nameAt(address: number, longest: number): string | null {
    const known = this.#names.get(address);
    if (known !== undefined) return known !== null && known.length > longest ? null : known;
    const found = this.#readString(address, LONGEST_NAME);
    if (this.#names.size === MOST_KEPT) this.#names.clear();
    this.#names.set(address, found);
    return found !== null && found.length > longest ? null : found;
  }

  /** The module of a code object's file, whose name is at an address. The file name itself is not kept. */
  moduleOfFileAt(address: number): string | null {
    const known = this.#fileModules.get(address);
    if (known !== undefined) return known;
    const path = this.#readString(address, LONGEST_PATH, FILE);
    const found = path === null ? null : moduleOfFile(path);
    this.#fileModules.set(address, found);
    return found;
  }

  /** A compact string: its characters have 1, 2 or 4 bytes (Include/cpython/unicodeobject.h). */
  #readString(address: number, longest: number, pattern = NAME): string | null {
    const header = this.#block(address, 48);
    if (header === null) return null;
    const length = pointerIn(header, STRING.length);
    if (length < 1 || length > longest) return null;
    const state = header[STRING.state] ?? 0;
    const width = (state >> 2) & 7;
    if ((state & IS_COMPACT) === 0 || ![1, 2, 4].includes(width)) return null;
    const data = this.#block(
      address + ((state & IS_ASCII) === 0 ? this.#otherDataAt : this.#asciiDataAt),
      length * width,
    );
    const text = data === null ? null : decoded(data, width);
    return text !== null && pattern.test(text) ? text : null;
  }

  #cString(address: number): string | null {
    // Reads in pieces, since a name may be at the end of mapped memory.
    const pieces: Uint8Array[] = [];
    let length = 0;
    while (length < LONGEST_NAME) {
      const piece = this.#block(address + length, 16 - ((address + length) % 16));
      if (piece === null) return null;
      const end = piece.indexOf(0);
      if (end >= 0) return Buffer.concat([...pieces, piece.subarray(0, end)]).toString('utf8');
      pieces.push(piece);
      length += piece.length;
    }
    return null;
  }

  #pointer(offset: number): number {
    return pointerIn(this.#scratch, offset);
  }

  #block(address: number, length: number): Uint8Array | null {
    if (address === 0 || !this.#isMapped(address)) return null;
    const block = new Uint8Array(length);
    return this.#memory.read(address, block) ? block : null;
  }
}

/** Null if a character is none. */
function decoded(data: Uint8Array, width: number): string | null {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  if (width === 1) return bytes.toString('latin1');
  if (width === 2) return bytes.toString('utf16le');
  const points = Array.from({ length: data.length / 4 }, (_, index) => bytes.readUInt32LE(index * 4));
  return points.every((point) => point <= LAST_CODE_POINT) ? String.fromCodePoint(...points) : null;
}

/** Reads 64 bits of a little-endian machine. Addresses are exact as JavaScript numbers. */
function pointerIn(data: Uint8Array, offset: number): number {
  const view = new DataView(data.buffer, data.byteOffset);
  return view.getUint32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true);
}

function newTable(view: DataView): { at: number; entryBytes: number; entries: number } {
  return {
    at: 32 + 2 ** view.getUint8(9),
    entryBytes: view.getUint8(10) === 0 ? 24 : 16,
    entries: view.getUint32(24, true),
  };
}

function oldTable(view: DataView): { at: number; entryBytes: number; entries: number } {
  const size = view.getUint32(8, true);
  return { at: 40 + (size <= 0xff ? size : size * 2), entryBytes: 24, entries: view.getUint32(32, true) };
}
