/**
 * The census of a herd's mold, or of any process that has written one: who owns the objects on each page; pure.
 *
 * agent/cowherd_agent/census/census_file.py writes it and describes the format.
 */
import { crc32 } from 'node:zlib';
import * as v from 'valibot';
import { CowherdError } from '../../base/errors.ts';
import { firstIssue } from '../../base/first-issue.ts';
import { printable } from '../../base/printable.ts';

export interface CensusOwner {
  /** The module that holds the objects; null if no module does. */
  readonly module: string | null;
  /** The objects' type, or a name in parentheses for memory that is not an object. */
  readonly type: string;
  /** How many bytes of the page they take. */
  readonly bytes: number;
}

const VERSION = 1;
const NAME = Buffer.from('cowherd census\0', 'latin1');
/** The name, and the version in one byte. */
const MAGIC_BYTES = NAME.length + 1;
const BLOCK_WORDS = 4;
const END_BYTES = 8;
const BYTES_BITS = 20;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const namesOfFile = v.object({
  modules: v.array(v.nullable(v.string())),
  types: v.array(v.string()),
  page_bytes: v.pipe(count, v.minValue(512)),
  /** Where the kernel mapped the vdso. The address is random, and a forked process has its parent's. */
  vdso: v.nullable(count),
  python_version: v.string(),
  objects: count,
  bytes: count,
  seconds: v.number(),
});

/** A census's facts about itself. */
export type CensusFacts = Omit<v.InferOutput<typeof namesOfFile>, 'modules' | 'types'>;

/** Entries by page: slot `s` has `owners[i]` and `bytes[i]` for i from `firsts[s]` to before `firsts[s + 1]`. */
interface Index {
  readonly slots: ReadonlyMap<number, number>;
  readonly firsts: Uint32Array;
  readonly owners: Uint32Array;
  readonly bytes: Uint32Array;
}

export class Census {
  readonly facts: CensusFacts;
  readonly #names: readonly Omit<CensusOwner, 'bytes'>[];
  readonly #index: Index;

  constructor(facts: CensusFacts, names: readonly Omit<CensusOwner, 'bytes'>[], index: Index) {
    this.facts = facts;
    this.#names = names;
    this.#index = index;
  }

  /** The number of pages with an owner. */
  get pages(): number {
    return this.#index.slots.size;
  }

  /** The addresses of the pages with an owner. */
  *addresses(): Generator<number> {
    for (const page of this.#index.slots.keys()) yield page * this.facts.page_bytes;
  }

  /** Owners' names, indexed by number. */
  get names(): readonly Omit<CensusOwner, 'bytes'>[] {
    return this.#names;
  }

  /** Calls back with each owner's number and bytes on the page of an address; maybe several times for one owner. */
  visitPage(address: number, visit: (owner: number, bytes: number) => void): void {
    const { slots, firsts, owners, bytes } = this.#index;
    const slot = slots.get(Math.floor(address / this.facts.page_bytes));
    if (slot === undefined) return;
    const end = firsts[slot + 1] ?? 0;
    for (let entry = firsts[slot] ?? 0; entry < end; entry += 1) visit(owners[entry] ?? 0, bytes[entry] ?? 0);
  }

  /** The owners of objects on the page of an address, the largest first. */
  ownersOfPage(address: number): CensusOwner[] {
    const sums = new Map<number, number>();
    this.visitPage(address, (owner, bytes) => sums.set(owner, (sums.get(owner) ?? 0) + bytes));
    return [...sums]
      .flatMap(([owner, bytes]) => {
        const name = this.#names[owner];
        return name === undefined ? [] : [{ module: name.module, type: name.type, bytes }];
      })
      .toSorted((a, b) => b.bytes - a.bytes);
  }
}

/**
 * @param name the file's name, for errors
 * @throws CowherdError CENSUS_UNREADABLE
 */
export function parseCensus(data: Uint8Array, name: string): Census {
  const refuse = (why: string): never => {
    throw new CowherdError('CENSUS_UNREADABLE', { detail: `${name} (${why})` });
  };
  if (data.length < MAGIC_BYTES) refuse('it is truncated');
  if (!NAME.equals(data.subarray(0, NAME.length))) refuse('it is not a census');
  const version = data[NAME.length] ?? 0;
  if (version !== VERSION) refuse(`it is a census of version ${version}, not ${VERSION}`);
  if (data.length < MAGIC_BYTES + END_BYTES || data.length % 8 !== 0) refuse('it is truncated');
  // Copied into a buffer of its own, so that words are aligned.
  const words = new Uint32Array(new Uint8Array(data).buffer);
  const namesBytes = words[words.length - 2] ?? 0;
  const namesAt = data.length - END_BYTES - namesBytes;
  if (namesBytes % 8 !== 0 || namesAt < MAGIC_BYTES) refuse('it is truncated');
  if (crc32(data.subarray(0, data.length - 4)) !== words[words.length - 1]) refuse('it is damaged');
  const names = readNames(data.subarray(namesAt, data.length - END_BYTES), refuse);
  const { modules, types, ...facts } = names;
  const blocks = readBlocks(words.subarray(MAGIC_BYTES / 4, namesAt / 4), modules.length, types.length, refuse);
  const owners = blocks.map(({ module, type }) => ({ module: modules[module] ?? null, type: types[type] ?? '' }));
  return new Census(facts, ...indexed(owners, blocks));
}

type Refuse = (why: string) => never;

function readNames(text: Uint8Array, refuse: Refuse): v.InferOutput<typeof namesOfFile> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(text).toString('utf8'));
  } catch (error) {
    return refuse(printable(String(error)));
  }
  const names = v.safeParse(namesOfFile, parsed, { abortEarly: true });
  return names.success ? names.output : refuse(firstIssue(names.issues));
}

interface Block {
  readonly module: number;
  readonly type: number;
  /** Two words per entry: page << 20 | bytes. */
  readonly entries: Uint32Array;
}

function readBlocks(words: Uint32Array, modules: number, types: number, refuse: Refuse): Block[] {
  const blocks: Block[] = [];
  let at = 0;
  while (at < words.length) {
    const [module = 0, type = 0, entries = 0] = words.subarray(at, at + BLOCK_WORDS);
    at += BLOCK_WORDS;
    if (at + 2 * entries > words.length || module >= modules || type >= types) refuse('it is damaged');
    blocks.push({ module, type, entries: words.subarray(at, at + 2 * entries) });
    at += 2 * entries;
  }
  return blocks;
}

/** Inverts the blocks: from pages by owner to owners by page. */
function indexed(
  names: readonly Omit<CensusOwner, 'bytes'>[],
  blocks: readonly Block[],
): [names: Omit<CensusOwner, 'bytes'>[], index: Index] {
  const numbers = new Map<string, number>();
  const distinct: Omit<CensusOwner, 'bytes'>[] = [];
  const ownerOfBlock = names.map((name) => {
    const key = `${name.module === null ? '' : `=${name.module}`}\0${name.type}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, distinct.length);
    return distinct.push(name) - 1;
  });
  const total = blocks.reduce((sum, { entries }) => sum + entries.length / 2, 0);
  const slots = new Map<number, number>();
  const slotOf = new Uint32Array(total);
  let entry = 0;
  for (const { entries } of blocks) {
    for (let at = 0; at < entries.length; at += 2, entry += 1) {
      const page = (entries[at + 1] ?? 0) * 2 ** (32 - BYTES_BITS) + ((entries[at] ?? 0) >>> BYTES_BITS);
      let slot = slots.get(page);
      if (slot === undefined) slots.set(page, (slot = slots.size));
      slotOf[entry] = slot;
    }
  }
  const firsts = new Uint32Array(slots.size + 1);
  for (const slot of slotOf) firsts[slot + 1] = (firsts[slot + 1] ?? 0) + 1;
  for (let slot = 0; slot < slots.size; slot += 1) firsts[slot + 1] = (firsts[slot + 1] ?? 0) + (firsts[slot] ?? 0);
  const next = firsts.slice();
  const owners = new Uint32Array(total);
  const bytes = new Uint32Array(total);
  entry = 0;
  for (const [block, { entries }] of blocks.entries()) {
    for (let at = 0; at < entries.length; at += 2, entry += 1) {
      const slot = slotOf[entry] ?? 0;
      const place = next[slot] ?? 0;
      next[slot] = place + 1;
      owners[place] = ownerOfBlock[block] ?? 0;
      bytes[place] = (entries[at] ?? 0) & (2 ** BYTES_BITS - 1);
    }
  }
  return [distinct, { slots, firsts, owners, bytes }];
}
