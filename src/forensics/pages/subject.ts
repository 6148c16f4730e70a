import type { MemoryReader } from '../../base/memory-reader.ts';
import type { Mapping } from '../../procfs/maps.ts';
import type { PageEntries } from '../../procfs/pagemap.ts';

/** An inspected process. */
export interface Subject {
  readonly pid: number;
  readonly mappings: readonly Mapping[];
  readonly memory: MemoryReader;
  readonly entries: (start: number, end: number) => PageEntries;
}
