import { describe, expect, test } from 'vitest';
import { parsePool } from '../cpython/pymalloc.ts';
import {
  address,
  CAPTURED_VERSIONS,
  CapturedProcess,
  type CapturedVersion,
  type PoolName,
} from '../cpython/samples/captured-process.ts';
import { TypeTable } from '../cpython/types-outside.ts';
import { MemoryWindow, WINDOW_BYTES } from './memory-window.ts';
import { objectOwner, saysItsModule } from './object-owner.ts';
import { type Interpreter, keyTableIn, objectIn, PoolReading } from './pool-reading.ts';

const PAGE = 4096;

function windowAt(captured: CapturedProcess, place: number): MemoryWindow {
  const window = new MemoryWindow(PAGE);
  const all = (): boolean => true;
  window.load(captured, Math.floor(place / WINDOW_BYTES) * WINDOW_BYTES, all, all);
  return window;
}

function open(version: CapturedVersion): { captured: CapturedProcess; interpreter: Interpreter } {
  const captured = new CapturedProcess(version);
  const { minor, isCode, isMapped } = captured;
  return { captured, interpreter: { minor, isCode, types: new TypeTable(captured, minor, isMapped, isMapped) } };
}

describe.each(CAPTURED_VERSIONS)('in pools of %s', (version) => {
  const { captured, interpreter } = open(version);

  function read(name: PoolName): { reading: PoolReading; blocks: string[] } {
    const { address: start, words, blocks } = captured.pool(name);
    const pool = parsePool(words, 0, captured.poolBytes, start)!;
    return { reading: new PoolReading(pool, windowAt(captured, start), interpreter), blocks };
  }

  test.each([
    ['rows', 'Row'],
    ['bytes', 'bytes'],
  ] as const)('%s are objects with their type; free blocks are free', (name, type) => {
    const { reading, blocks } = read(name);
    const known = [...blocks.entries()].filter(([, state]) => state !== '.');
    const expected = known.map(([, state]) => (state === '1' ? type : 'free'));
    const found = (): unknown[] =>
      known.map(([block]) => (reading.isFree(block) ? 'free' : reading.typeOf(block)?.name));
    expect(found()).toEqual(expected);
    // Asked a second time it is known.
    expect(found()).toEqual(expected);
  });

  test('tables are no objects', () => {
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
    // What is left over behind the last one.
    expect(reading.isFree(blocks.length)).toBe(true);
  });

  test('an object has to fit the piece of memory, and to be in the window', () => {
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

  test('the keys that instances share are found by their address; one that is cut off by the window is not', () => {
    const place = address(captured.facts.shared_keys);
    const window = windowAt(captured, place);
    expect(keyTableIn(window, place, 768, interpreter)).toMatchObject({ isShared: true, entries: 2 });
    expect(keyTableIn(window, window.start - 64, 768, interpreter)).toBeNull();
    expect(keyTableIn(window, window.start + WINDOW_BYTES - 16, 768, interpreter)).toBeNull();
  });

  test('owners: functions, modules and classes say of which module they are, instances are of their class', () => {
    const { facts } = captured;
    const typeNamed = (name: string) => interpreter.types.at(address(facts.types[name]!.address))!;
    const owner = (type: string, object: number): unknown => {
      const found = typeNamed(type);
      return objectOwner(found, object - found.prefixBytes, windowAt(captured, object), interpreter);
    };
    expect(owner('function', address(facts.function))).toEqual({ module: 'shop.views', type: 'function' });
    expect(owner('module', address(facts.module))).toEqual({ module: 'shop.data', type: 'module' });
    expect(owner('type', address(facts.types['Point']!.address))).toEqual({ module: 'shop.geometry', type: 'type' });
    const model = address(facts.types['Model']!.address);
    expect(owner('ModelMeta', model)).toEqual({ module: 'shop.models', type: 'ModelMeta' });
    expect(owner('dict', model)).toEqual({ module: null, type: 'dict' });
    expect(owner('Row', model)).toEqual({ module: 'shop.data', type: 'Row' });
    const names = Object.keys(facts.types).filter((name) => saysItsModule(typeNamed(name)));
    expect(names.toSorted()).toEqual(['ModelMeta', 'code', 'function', 'module', 'type']);
  });
});
