/** Opens processes for inspection: their mappings, page tables, memory, and the interpreter in them. */
import { CowherdError, isSystemError } from '../../base/errors.ts';
import type { Bytes } from '../../base/units.ts';
import {
  type FoundInterpreter,
  interpreterByName,
  interpreterFiles,
  interpreterIn,
  saysFreeThreaded,
} from '../../cpython/identify.ts';
import { TypeTable } from '../../cpython/types-outside.ts';
import { mappingAt, type Mapping, readMaps } from '../../procfs/maps.ts';
import { type PageEntries, Pagemap } from '../../procfs/pagemap.ts';
import { ProcessMemory } from '../../procfs/process-memory.ts';
import type { Reference } from '../heap/reference.ts';
import type { Subject } from '../pages/subject.ts';
import { findPools, PoolIndex } from '../heap/pool-index.ts';
import { programOf } from './processes.ts';
import { withinReach } from '../heap/within-reach.ts';

/** The Python 3 minors whose heap is known. For others `why` says that it is not. */
const OLDEST_MINOR = 9;
const NEWEST_MINOR = 15;

/** Pieces overlap, since a version string may lie across two of them. */
const PIECE_BYTES = 1 << 20;
const OVERLAP_BYTES = 32;

export interface OpenSubject extends Subject {
  /** Memory beyond reach (`within-reach.ts`). */
  readonly leftOut: Bytes;
  readonly close: () => void;
}

/**
 * Opens a process. `rest` is called between two pieces of a page table.
 *
 * @throws CowherdError PROCESS_NOT_FOUND, PROCESS_NOT_READABLE
 */
export function openSubject(pid: number, pageBytes: number, rest?: () => void): OpenSubject {
  try {
    const mappings = readMaps(pid);
    if (mappings === null) throw new CowherdError('PROCESS_NOT_FOUND', { detail: `process ${pid}` });
    const memory = new ProcessMemory(pid);
    const pagemap = new Pagemap(pid, pageBytes);
    const hasPages = (start: number, end: number): boolean => pagemap.entries(start, end, rest).hasAny;
    return {
      pid,
      ...withinReach(mappings, hasPages),
      memory,
      entries: (start, end) => pagemap.entries(start, end, rest),
      close: () => {
        memory.close();
        pagemap.close();
      },
    };
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM')) {
      throw new CowherdError('PROCESS_NOT_READABLE', { detail: `process ${pid} (${error.code})`, cause: error });
    }
    if (isSystemError(error, 'ENOENT', 'ESRCH')) {
      throw new CowherdError('PROCESS_NOT_FOUND', { detail: `process ${pid}`, cause: error });
    }
    throw error;
  }
}

/** Caches the page table of each mapping. For the reference, whose tables are compared with those of every worker. */
export function withEntriesKept(subject: OpenSubject, pageBytes: number): OpenSubject {
  const kept = new Map<number, PageEntries>();
  const entriesOf = ({ start, end }: Mapping): PageEntries => {
    const known = kept.get(start);
    if (known !== undefined) return known;
    const entries = subject.entries(start, end);
    kept.set(start, entries);
    return entries;
  };
  return {
    ...subject,
    entries: (start, end) => {
      const mapping = mappingAt(subject.mappings, start);
      if (mapping === null || end > mapping.end) return subject.entries(start, end);
      return entriesOf(mapping).slice((start - mapping.start) / pageBytes, (end - mapping.start) / pageBytes);
    },
  };
}

export interface FoundReference {
  readonly reference: Reference;
  /** The interpreter; null if the process is not Python. */
  readonly found: FoundInterpreter | null;
  /** Why its objects can't be told apart; null if they can. */
  readonly problem: string | null;
}

/** Adds what it takes to identify the words of this process's heap. `rest` is called between two pieces of work. */
export function asReference(subject: Subject, pageBytes: number, rest: () => void): FoundReference {
  const found = identify(subject, rest);
  const problem = problemOf(found);
  const none = { ...subject, interpreter: null, pools: PoolIndex.none() };
  if (found === null || problem !== null) return { reference: none, found, problem };
  const regions = subject.mappings
    .filter((mapping) => mapping.private && mapping.readable && mapping.writable)
    .map(({ start, end, path, inode }) => ({
      region: { start, end, path, ofFile: inode !== 0 },
      pages: subject.entries(start, end),
    }));
  const pools = findPools(subject.memory, regions, pageBytes);
  if (pools.poolBytes === null) {
    return {
      reference: none,
      found,
      problem: 'no pool of its allocator was found (PYTHONMALLOC may choose another one)',
    };
  }
  const { mappings } = subject;
  const types = new TypeTable(
    subject.memory,
    found.minor,
    // Types are never in a pool. Objects mostly are, and they account for most words that look like addresses.
    (address) => !pools.has(address) && mappingAt(mappings, address)?.readable === true,
    (address) => mappingAt(mappings, address)?.readable === true,
  );
  const interpreter = {
    minor: found.minor,
    types,
    isCode: (address: number) => mappingAt(mappings, address)?.executable === true,
  };
  return { reference: { ...subject, interpreter, pools }, found, problem: null };
}

function problemOf(found: FoundInterpreter | null): string | null {
  if (found === null) return 'it is no Python';
  if (found.implementation === 'pypy') return 'it is PyPy, whose heap is not known here';
  if (found.freeThreaded) return 'it is a free-threaded build, whose heap is not known here';
  if (found.minor < OLDEST_MINOR || found.minor > NEWEST_MINOR) {
    return `the heap of Python ${found.version} is not known here (3.${OLDEST_MINOR} to 3.${NEWEST_MINOR} are)`;
  }
  return null;
}

/** Looks for the version in the read-only data of the process's mapped files. */
function identify(subject: Subject, rest: () => void): FoundInterpreter | null {
  const { mappings, memory, pid } = subject;
  const executable = mappings.filter((mapping) => mapping.executable).map(({ path }) => path);
  const files = interpreterFiles(executable, programOf(pid) ?? '');
  for (const path of files) {
    const data = mappings.filter((mapping) => mapping.path === path && mapping.readable && !mapping.writable);
    let found: FoundInterpreter | null = null;
    let freeThreaded = false;
    // Reads all of it: the string that tells the build may be megabytes away from the version.
    for (const text of pieces(memory, data)) {
      found ??= interpreterIn(path, text);
      freeThreaded ||= saysFreeThreaded(text);
      rest();
    }
    if (found !== null) return freeThreaded ? { ...found, freeThreaded } : found;
  }
  return files.map(interpreterByName).find((found) => found !== null) ?? null;
}

function* pieces(memory: Subject['memory'], mappings: readonly Mapping[]): Generator<string> {
  for (const { start, end } of mappings) {
    let tail = '';
    for (let at = start; at < end; at += PIECE_BYTES) {
      const piece = new Uint8Array(Math.min(PIECE_BYTES, end - at));
      if (!memory.read(at, piece)) break;
      const text = tail + Buffer.from(piece.buffer).toString('latin1');
      yield text;
      tail = text.slice(-OVERLAP_BYTES);
    }
  }
}
