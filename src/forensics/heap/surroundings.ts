/** How much of the reference around a page has to be read to identify the words of that page; pure. */
import type { ChunkTable } from './glibc-chunks.ts';
import type { Span } from '../pages/page-states.ts';
import type { PoolIndex } from './pool-index.ts';

/**
 * A pool's header and free list say what its blocks are; the first bytes of a chunk say what it holds. In other memory
 * the header of a word's object tells, which may begin on the page before or extend onto the next one.
 */
export function surroundings(page: number, pageBytes: number, pools: PoolIndex, chunks: ChunkTable | null): Span {
  const end = page + pageBytes;
  if (pools.poolBytes !== null && pools.has(page)) {
    const start = Math.floor(page / pools.poolBytes) * pools.poolBytes;
    return { start, end: Math.max(end, start + pools.poolBytes) };
  }
  const around = { start: page - pageBytes, end: end + pageBytes };
  const [first, last] = [chunks?.at(page) ?? null, chunks?.at(end - 1) ?? null];
  if (first === null || last === null) return around;
  return { start: Math.min(around.start, first.address), end: Math.max(around.end, last.address + last.bytes) };
}
