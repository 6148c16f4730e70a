import { describe, expect, test } from 'vitest';
import { parsePool } from '../../cpython/pymalloc.ts';
import { address, CAPTURED_VERSIONS, type PoolName } from '../../cpython/samples/captured-process.ts';
import { WINDOW_BYTES } from '../pages/memory-window.ts';
import { keyTableIn, objectIn, PoolReading } from './pool-reading.ts';
import { openCapture, windowAt } from '../samples/captured-interpreter.ts';

describe.each(CAPTURED_VERSIONS)('in pools of %s', (version) => {
  const { captured, interpreter } = openCapture(version);

  function read(name: PoolName): { reading: PoolReading; blocks: string[] } {
    const { address: start, words, blocks } = captured.pool(name);
    const pool = parsePool(words, 0, captured.poolBytes, start)!;
    return { reading: new PoolReading(pool, windowAt(captured, start), interpreter), blocks };
  }

  test.each([
    ['rows', 'Row'],
    ['bytes', 'bytes'],
  ] as const)('%s are objects of their type; free blocks are free', (name, type) => {
    const { reading, blocks } = read(name);
    const known = [...blocks.entries()].filter(([, state]) => state !== '.');
    const expected = known.map(([, state]) => (state === '1' ? type : 'free'));
    const found = (): unknown[] =>
      known.map(([block]) => (reading.isFree(block) ? 'free' : reading.typeOf(block)?.name));
    expect(found()).toEqual(expected);
    // The second answer comes from the cache.
    expect(found()).toEqual(expected);
  });

  test('key tables are not objects', () => {
    const { reading, blocks } = read('keys');
    for (let time = 0; time < 2; time += 1) {
      for (const [block, state] of blocks.entries()) {
        if (state !== '1') continue;
        expect(reading.typeOf(block)).toBeNull();
        expect(reading.tableOf(block)).toMatchObject({ entries: 2, isShared: false });
      }
    }
    const rows = read('rows');
    expect(rows.reading.tableOf(rows.blocks.indexOf('1'))).toBeNull();
  });

  test('blocks and addresses', () => {
    const { reading, blocks } = read('bytes');
    const { address: start } = reading.pool;
    for (const block of blocks.keys()) {
      expect(reading.blockAt(reading.startOf(block))).toBe(block);
      expect(reading.blockAt(reading.startOf(block + 1) - 1)).toBe(block);
    }
    expect(reading.blockAt(start)).toBeLessThan(0);
    expect(reading.blockAt(start + 47)).toBeLessThan(0);
    // The leftover after the last block.
    expect(reading.isFree(blocks.length)).toBe(true);
  });

  test('an object has to fit into the piece of memory and the window', () => {
    const place = address(captured.facts.function);
    const window = windowAt(captured, place);
    const { types } = interpreter;
    // A function is tracked by the collector.
    expect(objectIn(window, place - 16, 168, types)?.name).toBe('function');
    expect(objectIn(window, place - 16, 32, types)?.name).toBe('function');
    expect(objectIn(window, place - 16, 24, types)).toBeNull();
    expect(objectIn(window, place, 168, types)).toBeNull();
    expect(objectIn(window, window.start - 64, 512, types)).toBeNull();
    expect(objectIn(window, window.start + WINDOW_BYTES - 8, 512, types)).toBeNull();
  });

  test("instances' shared key tables are found by address, unless the window cuts them off", () => {
    const place = address(captured.facts.shared_keys);
    const window = windowAt(captured, place);
    expect(keyTableIn(window, place, 768, interpreter)).toMatchObject({ isShared: true, entries: 2 });
    expect(keyTableIn(window, window.start - 64, 768, interpreter)).toBeNull();
    expect(keyTableIn(window, window.start + WINDOW_BYTES - 16, 768, interpreter)).toBeNull();
  });
});
