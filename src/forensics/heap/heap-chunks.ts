/** The C library's heap of a process, walked once: where its chunks are. */
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

/** Of the C library's heap; null for other addresses. */
export function chunksAt(chunks: HeapChunks | null, address: number): ChunkTable | null {
  return chunks !== null && chunks.region.start <= address && address < chunks.region.end ? chunks.table : null;
}

/** Whether a process has an anonymous page at an address. Others are not read: it could make the kernel map them. */
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

/** Goes through the heap of the reference in windows; null where it has none, or it can't be walked. */
export function walkHeap(
  reference: Reference,
  isThere: (address: number) => boolean,
  pageBytes: number,
  rest: (part: number) => void,
): HeapChunks | null {
  // A heap that has grown after a fork is in several mappings, one behind the other.
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
