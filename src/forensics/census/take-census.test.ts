import { describe, expect, test } from 'vitest';
import { HOLDER_WEAK_LIST, SampleInterpreter } from '../samples/sample-interpreter.ts';
import { PAGE_BYTES } from '../samples/sample-process.ts';
import type { Census } from '../owners/census.ts';
import { takeCensus } from './take-census.ts';

const OPTIONS = { minor: 13, pageBytes: PAGE_BYTES };

/** The bytes of each owner, as `module type`. */
function owners(census: Census): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const page of census.addresses()) {
    for (const { module, type, bytes } of census.ownersOfPage(page)) {
      const name = `${module ?? '-'} ${type}`;
      sums[name] = (sums[name] ?? 0) + bytes;
    }
  }
  return sums;
}

/** The modules that own the memory of one object; null for nobody. */
function ownersAt(sample: SampleInterpreter, build: () => Readonly<Record<string, number>>): Record<string, number> {
  sample.finish(build());
  return owners(takeCensus(sample.process, OPTIONS));
}

const HOLDER_BYTES = 16 + 40;
const FUNCTION_BYTES = 16 + 160;
const PLAIN_BYTES = 32;

describe('a census from outside', () => {
  test('gives an object to the first module that reaches it', () => {
    const sample = new SampleInterpreter();
    const shared = sample.object('plain');
    const found = ownersAt(sample, () => ({
      first: sample.module('first', sample.dict({ rows: sample.list([shared, sample.object('plain')]) })),
      second: sample.module('second', sample.dict({ also: shared, own: sample.object('plain') })),
    }));
    expect(found['first plain']).toBe(2 * PLAIN_BYTES);
    expect(found['second plain']).toBe(PLAIN_BYTES);
    expect(found['first (memory of no object)']).toBe(2 * 8);
    expect(found['first module']).toBe(16 + 56);
  });

  test('puts `__main__` last, which was there before all others', () => {
    const sample = new SampleInterpreter();
    const shared = sample.object('plain');
    const found = ownersAt(sample, () => ({
      __main__: sample.module('__main__', sample.dict({ shared })),
      shop: sample.module('shop', sample.dict({ shared })),
    }));
    expect(found['shop plain']).toBe(PLAIN_BYTES);
  });

  test('goes from no module into another, and counts a module with two names once', () => {
    const sample = new SampleInterpreter();
    const inner = sample.dict({ row: sample.object('plain') });
    const posixpath = sample.module('posixpath', inner);
    const found = ownersAt(sample, () => ({
      os: sample.module('os', sample.dict({ path: posixpath, namespace: inner })),
      posixpath,
      'os.path': posixpath,
    }));
    expect(found['posixpath plain']).toBe(PLAIN_BYTES);
    expect(found['os.path module']).toBeUndefined();
  });

  test('a function belongs to the module that it names, wherever it was met', () => {
    const sample = new SampleInterpreter();
    const globals = sample.dict({ row: sample.object('plain') });
    const found = ownersAt(sample, () => ({
      early: sample.module('early', sample.dict({ run: sample.function('late', globals) })),
      late: sample.module('late', globals),
      unnamed: sample.module('unnamed', sample.dict({ run: sample.function('gone', globals) })),
    }));
    expect(found['late function']).toBe(FUNCTION_BYTES);
    expect(found['late plain']).toBe(PLAIN_BYTES);
    expect(found['unnamed function']).toBe(FUNCTION_BYTES);
  });

  test('follows every word of an object that no layout is known of, but no word that only looks like an address', () => {
    const sample = new SampleInterpreter();
    const plain = sample.object('plain');
    const other = sample.object('plain');
    const found = ownersAt(sample, () => ({
      shop: sample.module(
        'shop',
        sample.dict({ one: sample.holder(plain, other + 8), two: sample.holder(2 ** 60, 1) }),
      ),
    }));
    expect(found['shop holder']).toBe(2 * HOLDER_BYTES);
    expect(found['shop plain']).toBe(PLAIN_BYTES);
  });

  test('a weak reference does not hold its object, but its callback', () => {
    const sample = new SampleInterpreter();
    const globals = sample.dict({});
    const found = ownersAt(sample, () => ({
      shop: sample.module(
        'shop',
        sample.dict({ weak: sample.weakref(sample.object('plain'), sample.function('gone', globals)) }),
      ),
    }));
    expect(found['shop plain']).toBeUndefined();
    expect(found['shop function']).toBe(FUNCTION_BYTES);
  });

  test("an object's list of weak references holds nothing", () => {
    const sample = new SampleInterpreter();
    const holder = sample.holder(sample.object('plain'));
    sample.process.write64(holder + HOLDER_WEAK_LIST, sample.object('plain'));
    const found = ownersAt(sample, () => ({ shop: sample.module('shop', sample.dict({ holder })) }));
    expect(found['shop plain']).toBe(PLAIN_BYTES);
  });

  test('no object begins within a block, even if a number and a type are there', () => {
    const sample = new SampleInterpreter();
    const holder = sample.holder(1, sample.typeAddress('plain'));
    const found = ownersAt(sample, () => ({
      shop: sample.module('shop', sample.dict({ inner: holder + 16, holder })),
    }));
    expect(found['shop plain']).toBeUndefined();
    expect(found['shop holder']).toBe(HOLDER_BYTES);
  });

  test('tracked objects that no module reaches belong to nobody; others are not found', () => {
    const sample = new SampleInterpreter();
    sample.list([sample.object('plain')]);
    sample.list([sample.object('plain')], false);
    const found = ownersAt(sample, () => ({ shop: sample.module('shop', sample.dict({})) }));
    expect(found['- list']).toBe(16 + 40);
    expect(found['- plain']).toBe(PLAIN_BYTES);
  });

  test('a freed object is none', () => {
    const sample = new SampleInterpreter();
    const freed = sample.object('plain');
    sample.process.write64(freed, 0);
    const found = ownersAt(sample, () => ({ shop: sample.module('shop', sample.dict({ freed })) }));
    expect(found['shop plain']).toBeUndefined();
  });

  test('is the same when little memory is held at a time, and reads no absent page', () => {
    const sample = new SampleInterpreter();
    const rows = Array.from({ length: 3000 }, () => sample.holder(sample.object('plain')));
    const parts = Array.from({ length: 60 }, (_, part) => sample.list(rows.slice(part * 50, part * 50 + 50)));
    sample.finish({ shop: sample.module('shop', sample.dict({ parts: sample.list(parts) })) });
    const whole = owners(takeCensus(sample.process, OPTIONS));
    let reads = [0, 0];
    const little = takeCensus(sample.process, {
      ...OPTIONS,
      held: { atFirst: 1 << 16, most: 1 << 17 },
      onCost: ({ readBytes, bytes }) => {
        reads = [readBytes, bytes];
      },
    });
    expect(owners(little)).toEqual(whole);
    expect(whole['shop plain']).toBe(3000 * PLAIN_BYTES);
    expect(reads[0]).toBeGreaterThan(reads[1] ?? 0);
    expect(sample.process.wronglyRead).toEqual([]);
  });

  test('needs sys.modules', () => {
    const sample = new SampleInterpreter();
    // A module of that name that is not the interpreter's own.
    sample.module('sys', sample.dict({ modules: sample.dict({ sys: sample.object('plain') }) }));
    expect(() => takeCensus(sample.process, OPTIONS)).toThrow('sys.modules');
  });
});
