import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kernelUnits } from './auxv.ts';
import { readMaps } from './maps.ts';
import { PageEntries, Pagemap } from './pagemap.ts';

const bits = { present: 63n, swapped: 62n, ofFile: 61n, exclusive: 56n };
const entry = fc.record({
  present: fc.boolean(),
  swapped: fc.boolean(),
  ofFile: fc.boolean(),
  exclusive: fc.boolean(),
  /** 55 bits in the entry; frame numbers of real machines are exact as JavaScript numbers. */
  frame: fc.bigInt({ min: 0n, max: 2n ** 52n - 1n }),
  /** Soft-dirty, write protected by userfaultfd, a guard page: ignored. */
  others: fc.bigInt({ min: 0n, max: 7n }),
});

test("each bit is at the kernel's position", () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 8 }), (all) => {
      const words = BigUint64Array.from(all, ({ frame, others, ...flags }) =>
        Object.entries(bits).reduce(
          (sum, [name, bit]) => sum | (flags[name as keyof typeof flags] ? 1n << bit : 0n),
          frame | ((others & 1n) << 55n) | ((others & 6n) << 56n),
        ),
      );
      const entries = new PageEntries(new Uint32Array(words.buffer));
      expect(entries.count).toBe(all.length);
      expect(entries.hasAny).toBe(all.some(({ present, swapped }) => present || swapped));
      for (const [page, { present, swapped, ofFile, exclusive, frame }] of all.entries()) {
        expect(entries.isPresent(page)).toBe(present);
        expect(entries.isSwapped(page)).toBe(swapped);
        expect(entries.isExclusive(page)).toBe(exclusive);
        expect(entries.isAnonymous(page)).toBe(present && !ofFile);
        expect(entries.frame(page)).toBe(Number(frame));
      }
    }),
  );
});

test('entries written by a kernel: a page of the stack, and one of a file', () => {
  const entries = new PageEntries(Uint32Array.of(0x0001_2345, 0x8180_0000, 0x0000_0abc, 0xa000_0001));
  expect([entries.isPresent(0), entries.isAnonymous(0), entries.isExclusive(0), entries.frame(0)]).toEqual([
    true,
    true,
    true,
    0x1_2345,
  ]);
  expect([entries.isPresent(1), entries.isAnonymous(1), entries.isExclusive(1), entries.frame(1)]).toEqual([
    true,
    false,
    false,
    0x1_0000_0abc,
  ]);
});

test('a slice of the entries', () => {
  const entries = new PageEntries(Uint32Array.of(1, 0, 2, 0, 3, 0, 4, 0)).slice(1, 3);
  expect([entries.count, entries.frame(0), entries.frame(1), entries.frame(2)]).toEqual([2, 2, 3, 0]);
});

test('after the last page no page is present', () => {
  const entries = new PageEntries(Uint32Array.of(1, 0xffff_ffff));
  for (const page of [-1, 1]) {
    expect([entries.isPresent(page), entries.isAnonymous(page), entries.frame(page)]).toEqual([false, false, 0]);
  }
});

test('in this process the stack is anonymous, the program is a file, and between them is nothing', () => {
  const pageBytes = kernelUnits().pageSize;
  const own = readMaps(process.pid)!;
  const stack = own.find(({ path }) => path === '[stack]')!;
  const program = own.find(({ path, fileOffset }) => path === process.execPath && fileOffset === 0)!;
  const pagemap = new Pagemap(process.pid, pageBytes);
  try {
    const ofStack = pagemap.entries(stack.start, stack.end);
    const last = (stack.end - stack.start) / pageBytes - 1;
    expect(ofStack.count).toBe(last + 1);
    expect([ofStack.isPresent(last), ofStack.isAnonymous(last), ofStack.isSwapped(last)]).toEqual([true, true, false]);
    const ofProgram = pagemap.entries(program.start, program.end);
    expect([ofProgram.isPresent(0), ofProgram.isAnonymous(0), ofProgram.isSwapped(0)]).toEqual([true, false, false]);
    const nothing = pagemap.entries(pageBytes, pageBytes * 4);
    expect([0, 1, 2].map((page) => nothing.isPresent(page))).toEqual([false, false, false]);
  } finally {
    pagemap.close();
  }
  expect(() => new Pagemap(2 ** 30, pageBytes)).toThrow('ENOENT');
});
