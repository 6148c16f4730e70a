import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MemoryReader } from '../base/memory-reader.ts';
import { GC_HEAD_BYTES, OBJECT, PRE_HEADER_BYTES, TYPE, TYPE_FLAGS } from './object-layout.ts';
import { POOL_HEADER_BYTES } from './pymalloc.ts';
import { address, CAPTURED_VERSIONS, CapturedProcess } from './samples/captured-process.ts';
import { TypeTable } from './types-outside.ts';

function tableOf(captured: CapturedProcess): TypeTable {
  return new TypeTable(captured, captured.minor, captured.isMapped, captured.isMapped);
}

describe.each(CAPTURED_VERSIONS)('types of %s', (version) => {
  const captured = new CapturedProcess(version);
  const { types } = captured.facts;

  test('agree with what the interpreter says itself', () => {
    const table = tableOf(captured);
    for (const [name, facts] of Object.entries(types)) {
      expect(table.at(address(facts.address))).toMatchObject({
        address: address(facts.address),
        name,
        module: facts.module,
        isGc: facts.is_gc,
        isHeapType: facts.is_heap,
        isMetatype: facts.is_metatype,
      });
    }
    expect(Object.keys(types)).toEqual(expect.arrayContaining(['type', 'Row', 'Point', 'ModelMeta', 'Model']));
  });

  test("an instance's type pointer comes after its prefix", () => {
    const table = tableOf(captured);
    const row = table.at(address(types['Row']!.address))!;
    expect(row.prefixBytes).toBe(captured.minor >= 11 ? GC_HEAD_BYTES + PRE_HEADER_BYTES : GC_HEAD_BYTES);
    const pools = [
      ['rows', row],
      ['bytes', table.at(address(types['bytes']!.address))!],
    ] as const;
    for (const [name, type] of pools) {
      const { words, blockBytes, blocks } = captured.pool(name);
      for (const [block, state] of blocks.entries()) {
        if (state !== '1') continue;
        const at = (POOL_HEADER_BYTES + block * blockBytes + type.prefixBytes + OBJECT.type) / 4;
        expect((words[at + 1] ?? 0) * 2 ** 32 + (words[at] ?? 0)).toBe(type.address);
      }
    }
  });

  test('other addresses are not types, also when asked again', () => {
    const table = tableOf(captured);
    const type = address(types['Row']!.address);
    const { function: view, module, shared_keys: keys } = captured.facts;
    const others = [0, 8, type + 4, type + 8, type - 8, address(view), address(module), address(keys), 2 ** 60, NaN];
    for (let time = 0; time < 2; time += 1) for (const at of others) expect(table.at(at)).toBeNull();
    expect(table.at(type)).toBe(table.at(type));
  });

  test('an address where no type can be is not read', () => {
    const table = new TypeTable(captured, captured.minor, () => false, captured.isMapped);
    expect(table.at(address(types['Row']!.address))).toBeNull();
  });

  test('names are strings that look like names, up to a length', () => {
    const table = tableOf(captured);
    const moduleName = captured.words(address(captured.facts.module) + 48, 8);
    const at = (moduleName[1] ?? 0) * 2 ** 32 + (moduleName[0] ?? 0);
    for (let time = 0; time < 2; time += 1) {
      expect(table.nameAt(at, 256)).toBe('shop.data');
      expect(table.nameAt(at, 9)).toBe('shop.data');
      expect(table.nameAt(at, 8)).toBeNull();
      expect(table.nameAt(at + 8, 256)).toBeNull();
      expect(table.nameAt(address(captured.facts.module), 256)).toBeNull();
      expect(table.nameAt(0, 256)).toBeNull();
    }
  });

  test('a type has its name even if its dict cannot be read', () => {
    const { address: start } = types['Row']!;
    const scratch = new DataView(new ArrayBuffer(8));
    const without: MemoryReader = {
      read: (at, into) => {
        if (!captured.read(at, into)) return false;
        if (at === address(start)) {
          scratch.setBigUint64(0, 0x1234_5678n, true);
          into.set(new Uint8Array(scratch.buffer), TYPE.dict);
        }
        return true;
      },
    };
    const table = new TypeTable(without, captured.minor, captured.isMapped, captured.isMapped);
    expect(table.at(address(start))).toMatchObject({ name: 'Row', module: null });
  });

  test('after any change, a type has a name or is not a type', () => {
    const start = address(types['Row']!.address);
    const places = [start, address(types['type']!.address), address(types['Model']!.address)];
    const pointer = fc.oneof(fc.constantFrom(...places), fc.nat(2 ** 31));
    const offset = fc.constantFrom<number[]>(OBJECT.type, TYPE.name, TYPE.flags, TYPE.dict);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), offset, pointer), { maxLength: 4 }), (changes) => {
        const changed: MemoryReader = {
          read: (at, into) => {
            if (!captured.read(at, into)) return false;
            const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
            for (const [place, field, value] of changes) {
              const target = (places[place] ?? 0) + field - at;
              if (target >= 0 && target + 8 <= into.length) view.setBigUint64(target, BigInt(value), true);
            }
            return true;
          },
        };
        const table = new TypeTable(changed, captured.minor, captured.isMapped, captured.isMapped);
        for (const place of places) {
          const type = table.at(place);
          if (type !== null) expect(type.name).toMatch(/^[^\0]+$/);
        }
      }),
    );
  });
});

/** A few types in memory that ends after two pages. */
class SmallMemory implements MemoryReader {
  readonly bytes = new Uint8Array(8192);
  readonly #view = new DataView(this.bytes.buffer);

  read(address: number, into: Uint8Array): boolean {
    if (address < 0 || address + into.length > this.bytes.length) return false;
    into.set(this.bytes.subarray(address, address + into.length));
    return true;
  }

  type(address: number, { of, name, flags }: { of: number; name: number; flags: number }): void {
    this.#view.setBigUint64(address + OBJECT.type, BigInt(of), true);
    this.#view.setBigUint64(address + TYPE.name, BigInt(name), true);
    this.#view.setUint32(address + TYPE.flags, flags >>> 0, true);
  }

  text(address: number, text: string): void {
    this.bytes.set(Buffer.from(`${text}\0`), address);
  }

  table(minor = 13): TypeTable {
    const isHere = (address: number): boolean => address < this.bytes.length;
    return new TypeTable(this, minor, isHere, isHere);
  }
}

const META = TYPE_FLAGS.typeSubclass;

test('types with circular types are refused', () => {
  const memory = new SmallMemory();
  const types = [1024, 2048, 3072];
  memory.text(64, 'name');
  for (const [index, at] of types.entries()) {
    memory.type(at, { of: types[(index + 1) % types.length] ?? 0, name: 64, flags: META });
  }
  const table = memory.table();
  for (const at of types) expect(table.at(at)).toBeNull();
});

test('the chain of types ends at `type`, the only one that is its own type', () => {
  const memory = new SmallMemory();
  memory.text(64, 'name');
  memory.type(1024, { of: 1024, name: 64, flags: META });
  memory.type(2048, { of: 1024, name: 64, flags: 0 });
  memory.type(3072, { of: 2048, name: 64, flags: 0 });
  memory.type(4096, { of: 4096, name: 64, flags: 0 });
  const table = memory.table();
  // The third one's type is a class, but not a metaclass.
  expect([1024, 2048, 3072, 4096].map((at) => table.at(at)?.isMetatype)).toEqual([true, false, undefined, undefined]);
});

test("the prefix of an object: the collector's header and, from 3.11 on, the pre-header", () => {
  const memory = new SmallMemory();
  memory.text(64, 'name');
  const { haveGc, managedDict, managedWeakref } = TYPE_FLAGS;
  const flags = [0, haveGc, haveGc | managedDict, haveGc | managedWeakref, managedDict];
  const prefixes = (minor: number): unknown[] =>
    flags.map((each) => {
      memory.type(1024, { of: 1024, name: 64, flags: META | each });
      return memory.table(minor).at(1024)?.prefixBytes;
    });
  expect(prefixes(13)).toEqual([0, 16, 32, 32, 16]);
  expect(prefixes(10)).toEqual([0, 16, 16, 16, 0]);
});

test('names of modules may have any letters; a string that is not compact is no name', () => {
  const memory = new SmallMemory();
  const write = (width: number, characters: string, isCompact = true): void => {
    const points = Array.from(characters, (character) => character.codePointAt(0) ?? 0);
    memory.bytes.fill(0);
    const view = new DataView(memory.bytes.buffer);
    view.setBigUint64(1024 + 16, BigInt(points.length), true);
    view.setUint32(1024 + 32, (width << 2) | (isCompact ? 32 : 0), true);
    for (const [index, point] of points.entries()) {
      for (let byte = 0; byte < width; byte += 1) {
        view.setUint8(1024 + 56 + index * width + byte, Math.floor(point / 256 ** byte) % 256);
      }
    }
  };
  for (const [width, name] of [
    [1, 'größe'],
    [2, 'лавка.данные'],
    [4, 'x\u{20000}'],
  ] as const) {
    write(width, name);
    expect(memory.table().nameAt(1024, 256)).toBe(name);
    write(width, name, false);
    expect(memory.table().nameAt(1024, 256)).toBeNull();
  }
  write(4, 'xy');
  new DataView(memory.bytes.buffer).setUint32(1024 + 56, 0x7fff_ffff, true);
  expect(memory.table().nameAt(1024, 256)).toBeNull();
});

test('names of types: dots separate the module, and without a valid name there is no type', () => {
  const memory = new SmallMemory();
  const named = (name: string, at = 64): unknown => {
    memory.bytes.fill(0);
    memory.text(at, name);
    memory.type(1024, { of: 1024, name: at, flags: META });
    const type = memory.table().at(1024);
    return type === null ? null : [type.module, type.name];
  };
  expect(named('collections.OrderedDict')).toEqual(['collections', 'OrderedDict']);
  expect(named('a.b.c.D')).toEqual(['a.b.c', 'D']);
  expect(named('dict_keys', 61)).toEqual(['builtins', 'dict_keys']);
  // Letters of several bytes cross the border of two pieces.
  const long = 'GrößenÜbersichtFürFüße';
  for (let at = 64; at < 80; at += 1) expect(named(long, at)).toEqual(['builtins', long]);
  expect(named('List[int]')).toEqual(['builtins', 'List[int]']);
  expect(named('x'.repeat(255))).toEqual(['builtins', 'x'.repeat(255)]);
  for (const wrong of ['', 'a/b', 'a\nb', '%s', 'x'.repeat(600), '\ufffd']) expect(named(wrong)).toBeNull();
  expect(named('abc', 8192 - 4)).toEqual(['builtins', 'abc']);
  // The name continues past mapped memory.
  memory.bytes.set(Buffer.from('abcd'), 8192 - 4);
  expect(memory.table().at(1024)).toBeNull();
});
