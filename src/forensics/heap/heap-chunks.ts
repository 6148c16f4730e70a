/** Walks a process's C library heap once to find its chunks. */
import { type Mapping, mappingAt } from '../../procfs/maps.ts';
import type { PageEntries } from '../../procfs/pagemap.ts';
import { type ChunkTable, ChunkWalk } from './glibc-chunks.ts';
import { MemoryWindow, WINDOW_BYTES } from '../pages/memory-window.ts';
import type { Region } from '../pages/page-states.ts';
import type { Reference } from './reference.ts';
import type { Subject } from '../pages/subject.ts';

export interface HeapChunks {
  readonly region: Region;
  readonly table: ChunkTable;
}

/** The chunk table, if an address lies in the C library's heap; else null. */
export function chunksAt(chunks: HeapChunks | null, address: number): ChunkTable | null {
  return chunks !== null && chunks.region.start <= address && address < chunks.region.end ? chunks.table : null;
}

/** Tells whether a process has an anonymous page at an address. Reading other places could make the kernel map them. */
export function presence(subject: Subject, pageBytes: number): (address: number) => boolean {
  let mapping: Mapping | null = null;
  let entries: PageEntries | null = null;
  return (address) => {
    if (mapping === null || address < mapping.start || address >= mapping.end) {
      mapping = mappingAt(subject.mappings, address);
      entries = mapping === null || !mapping.private ? null : subject.entries(mapping.start, mapping.end);
    }
    return mapping !== null && entries !== null && entries.isAnonymous((address - mapping.start) / pageBytes);
  };
}

/** Reads the heap of the reference in windows; null if it has none or its chunks can't be followed. */
export function walkHeap(
  reference: Reference,
  isThere: (address: number) => boolean,
  pageBytes: number,
  rest: (part: number) => void,
): HeapChunks | null {
  // A heap that grew after a fork has several adjacent mappings.
  const parts = reference.mappings.filter((mapping) => mapping.path === '[heap]');
  const [first] = parts;
  const last = parts.at(-1);
  if (first === undefined || last === undefined) return null;
  const heap: Region = { start: first.start, end: last.end, path: '[heap]', ofFile: false };
  const walk = new ChunkWalk(heap.start, heap.end);
  const window = new MemoryWindow(pageBytes);
  for (let start = Math.floor(heap.start / WINDOW_BYTES) * WINDOW_BYTES; start < heap.end; start += WINDOW_BYTES) {
    const inHeap = (page: number): boolean => {
      const address = start + page * pageBytes;
      return address >= heap.start && address < heap.end && isThere(address);
    };
    window.load(reference.memory, start, inHeap, inHeap);
    walk.feed(start, window.words);
    rest((start - heap.start) / (heap.end - heap.start));
  }
  const table = walk.finish();
  return table === null ? null : { region: heap, table };
}
