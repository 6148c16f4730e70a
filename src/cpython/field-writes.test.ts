import { expect, test } from 'vitest';
import { interpreterWrite, type Word } from './field-writes.ts';
import type { ObjectType } from './types-outside.ts';

const typeOf = (name: string, more: Partial<ObjectType> = {}): ObjectType => ({
  address: 4096,
  name,
  module: 'builtins',
  prefixBytes: 0,
  isGc: false,
  isHeapType: false,
  isMetatype: false,
  ...more,
});
const word = (low: number, high = 0): Word => ({ low, high });

test("a string's hash, and none of its other fields", () => {
  expect(interpreterWrite(typeOf('str'), 24, word(-1, -1), word(7, 8))).toBe('hash');
  for (const field of [0, 8, 16, 32, 40]) {
    expect(interpreterWrite(typeOf('str'), field, word(1), word(2))).toBeNull();
  }
});

test('a class: its version, its caches, and the flag that the version is valid', () => {
  const type = typeOf('type', { isMetatype: true });
  expect(interpreterWrite(type, 384, word(0), word(77))).toBe('specialization');
  expect(interpreterWrite(type, 896, word(0), word(1, 1))).toBe('specialization');
  const valid = 1 << 19;
  expect(interpreterWrite(type, 168, word(0x5402, 3), word(0x5402 | valid, 3))).toBe('specialization');
  expect(interpreterWrite(type, 168, word(0x5402 | valid, 3), word(0x5402, 3))).toBe('specialization');
  // Another flag, and the upper half of the 64-bit word.
  expect(interpreterWrite(type, 168, word(0x5402), word(0x5403 | valid))).toBeNull();
  expect(interpreterWrite(type, 168, word(0x5402, 3), word(0x5402 | valid, 4))).toBeNull();
  // The highest bit is a flag too.
  expect(interpreterWrite(type, 168, word(0x8000_5402), word((0x8000_5402 | valid) >>> 0))).toBe('specialization');
  for (const field of [24, 264, 376, 888]) expect(interpreterWrite(type, field, word(1), word(2))).toBeNull();
});

test('a class of 3.13: the number of its versions, where older ones have a pointer', () => {
  const type = typeOf('type', { isMetatype: true });
  expect(interpreterWrite(type, 408, word(0), word(0x1_0000))).toBe('specialization');
  expect(interpreterWrite(type, 408, word(0), word(0x1234, 0x7f12))).toBeNull();
  expect(interpreterWrite(type, 408, word(0x1234, 0x7f12), word(0))).toBeNull();
});

test('a class with a custom metaclass is a class', () => {
  const type = typeOf('ModelMeta', { module: 'shop.models', isMetatype: true });
  expect(interpreterWrite(type, 384, word(0), word(77))).toBe('specialization');
});

test('a function: its version, not a pointer', () => {
  const type = typeOf('function');
  expect(interpreterWrite(type, 128, word(0), word(0x1234))).toBe('specialization');
  expect(interpreterWrite(type, 128, word(1, 0x7f12), word(2, 0x7f12))).toBeNull();
  expect(interpreterWrite(type, 128, word(0), word(2, 0x7f12))).toBeNull();
  expect(interpreterWrite(type, 128, word(1, 0x7f12), word(0))).toBeNull();
  // Its dict, and its attributes.
  for (const field of [48, 80, 112]) expect(interpreterWrite(type, field, word(0), word(1))).toBeNull();
});

test('only the interpreter writes code', () => {
  expect(interpreterWrite(typeOf('code'), 200, word(5, 5), word(6, 6))).toBe('specialization');
});

test('other types of the same name are data', () => {
  expect(interpreterWrite(typeOf('dict'), 16, word(1), word(2))).toBeNull();
  for (const name of ['str', 'code', 'function']) {
    expect(interpreterWrite(typeOf(name, { module: 'shop.data' }), 24, word(0), word(1))).toBeNull();
    expect(interpreterWrite(typeOf(name, { module: null }), 128, word(0), word(1))).toBeNull();
  }
});
