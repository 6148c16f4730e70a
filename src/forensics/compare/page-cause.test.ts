import { describe, expect, test } from 'vitest';
import { POOL_HEADER_BYTES } from '../../cpython/pymalloc.ts';
import { CAPTURED_VERSIONS, type PoolName } from '../../cpython/samples/captured-process.ts';
import { PageEntries } from '../../procfs/pagemap.ts';
import { causeOfRank, type Cause } from '../pages/causes.ts';
import { MemoryWindow } from '../pages/memory-window.ts';
import type { OwnerName } from '../owners/owner-name.ts';
import { OwnerTally, PageOwners } from '../owners/owners.ts';
import { pageCause, ReferenceWindow } from './page-cause.ts';

import { findPools, type RegionPages } from '../heap/pool-index.ts';
import { openCapture, windowAt } from '../samples/captured-interpreter.ts';
import { PAGE_BYTES } from '../samples/sample-process.ts';

/** One pool with all of its pages present. */
function poolRegion(start: number, poolBytes: number): RegionPages {
  const words = new Uint32Array((poolBytes / PAGE_BYTES) * 2).fill(1 << 31);
  return { region: { start, end: start + poolBytes, path: '', ofFile: false }, pages: new PageEntries(words) };
}

interface Found {
  readonly cause: Cause;
  readonly written: readonly (OwnerName | undefined)[];
  readonly bystanders: readonly (OwnerName | undefined)[];
}

describe.each(CAPTURED_VERSIONS)('on a page of %s', (version) => {
  const { captured, interpreter } = openCapture(version);
  const isNew = captured.minor >= 11;
  const row = { module: 'shop.data', type: 'Row' };
  const bytes = { module: null, type: 'bytes' };

  /** The result for the page of the first address after the words at these addresses have changed. */
  function found(name: PoolName, ...changed: number[]): Found {
    const { address: start } = captured.pool(name);
    const window = windowAt(captured, start);
    const worker = new MemoryWindow(PAGE_BYTES);
    worker.words.set(window.words);
    worker.start = window.start;
    for (const at of changed) worker.words[(at - window.start) / 4] = (worker.words[(at - window.start) / 4] ?? 0) + 3;
    const tally = new OwnerTally();
    const owners = new PageOwners();
    const address = Math.floor((changed[0] ?? start) / PAGE_BYTES) * PAGE_BYTES;
    const pools = findPools(captured, [poolRegion(start, captured.poolBytes)], PAGE_BYTES);
    const rank = pageCause({
      reference: new ReferenceWindow(window, interpreter, pools),
      worker,
      region: { start: window.start, end: window.start + window.words.length * 4, path: '', ofFile: false },
      chunks: null,
      address,
      pageBytes: PAGE_BYTES,
      tally,
      owners,
      words: new Float64Array(10),
    });
    const names = (numbers: ReadonlyMap<number, number>): (OwnerName | undefined)[] =>
      [...numbers.keys()].map((number) => tally.nameOf(number));
    return { cause: causeOfRank(rank), written: names(owners.written), bystanders: names(owners.bystanders) };
  }

  /** The address of the first block in this state. */
  function blockOf(name: PoolName, state: '0' | '1'): number {
    const { address, blockBytes, blocks } = captured.pool(name);
    return address + POOL_HEADER_BYTES + blocks.indexOf(state) * blockBytes;
  }

  test("an instance: its reference count, the collector's header, and the words around them", () => {
    const at = blockOf('rows', '1');
    const head = isNew ? 16 : 0;
    expect(found('rows', at + head + 16)).toMatchObject({ cause: 'refcount', written: [row] });
    expect(found('rows', at + head)).toMatchObject({ cause: 'gc-header', written: [row] });
    expect(found('rows', at + head + 8)).toMatchObject({ cause: 'gc-header', written: [row] });
    expect(found('rows', at + head + 16 + 16)).toMatchObject({ cause: 'payload', written: [row] });
    // The dict and weak references come before the collector's header.
    if (isNew) expect(found('rows', at + 8)).toMatchObject({ cause: 'payload', written: [row] });
  });

  test("byte strings have no collector's header; free ones are the allocator's", () => {
    const at = blockOf('bytes', '1');
    expect(found('bytes', at)).toMatchObject({ cause: 'refcount', written: [bytes], bystanders: [bytes] });
    expect(found('bytes', at + 40)).toMatchObject({ cause: 'payload', written: [bytes] });
    const free = { module: null, type: '(free memory)' };
    expect(found('bytes', blockOf('bytes', '0') + 8)).toMatchObject({ cause: 'allocator', written: [free] });
    const { address } = captured.pool('bytes');
    expect(found('bytes', address + 8)).toMatchObject({ cause: 'allocator', written: [free], bystanders: [bytes] });
  });

  test('key tables: from 3.11 on the interpreter writes their version', () => {
    const at = blockOf('keys', '1');
    const keys = { module: null, type: '(keys of dicts)' };
    expect(found('keys', at + (isNew ? 24 : 32))).toMatchObject({ cause: 'payload', written: [keys] });
    expect(found('keys', at + 12)).toMatchObject({ cause: isNew ? 'specialization' : 'payload', written: [keys] });
  });

  test('the most stubborn of several writes decides, and all written owners are named', () => {
    const at = blockOf('rows', '1') + (isNew ? 16 : 0);
    expect(found('rows', at, at + 16)).toMatchObject({ cause: 'refcount', written: [row] });
    expect(found('rows', at + 32, at)).toMatchObject({ cause: 'payload', written: [row] });
  });

  test('on an identical page the tracked objects count as written; without any, none does', () => {
    // Up to 3.10 the values of instances are in separate blocks beside them.
    const beside = isNew ? [] : [{ module: null, type: '(memory of no object)' }];
    expect(found('rows')).toEqual({ cause: 'identical', written: [row], bystanders: beside });
    expect(found('bytes')).toEqual({ cause: 'identical', written: [], bystanders: [bytes] });
  });
});
