import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mappingAt, type Mapping, parseMaps, readMaps } from './maps.ts';

const capture = parseMaps(readFileSync(new URL('captures/python.maps', import.meta.url), 'latin1'));

test('a real capture', () => {
  expect(capture).toHaveLength(53);
  expect(capture[1]).toEqual({
    start: 0x562c_2b27_4000,
    end: 0x562c_2b27_5000,
    readable: true,
    writable: false,
    executable: true,
    private: true,
    fileOffset: 0x1000,
    inode: 82_465,
    path: '/opt/python/bin/python3.13',
  });
  expect(capture.filter(({ path }) => path === '[heap]')).toMatchObject([
    { start: 0x562c_3c40_3000, writable: true, executable: false, inode: 0 },
  ]);
  // A shared mapping.
  expect(capture.filter((mapping) => !mapping.private).map(({ path }) => path)).toEqual([
    '/usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache',
  ]);
  expect(capture.filter(({ path }) => path === '')).toHaveLength(6);
  expect(capture.at(-1)?.path).toBe('[stack]');
});

test('a path keeps its blanks, as the kernel writes it; lines of another form are skipped', () => {
  const line = '7f00-8000 rw-s 00001000 fe:00 12 ';
  const paths = ['/a b  c', '/gone (deleted)', '[anon:arena of x]', '/new\\012line', ''];
  expect(parseMaps(`${paths.map((path) => line + path).join('\n')}\nSize: 4 kB\n`).map(({ path }) => path)).toEqual(
    paths,
  );
});

const mappings = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 2 ** 20 }), fc.nat(3)), { maxLength: 30 })
  .map((parts): Mapping[] => {
    let at = 0x1000;
    return parts.map(([pages, gap]) => {
      const start = at + gap * 4096;
      at = start + pages * 4096;
      const flags = { readable: true, writable: pages % 2 === 0, executable: pages % 3 === 0, private: pages % 5 > 0 };
      return { start, end: at, ...flags, fileOffset: gap * 4096, inode: gap, path: gap === 0 ? '' : '/a b' };
    });
  });

test('mappings in the format of the kernel are read back unchanged', () => {
  const hex = (number: number): string => number.toString(16).padStart(8, '0');
  fc.assert(
    fc.property(mappings, (all) => {
      const lines = all.map(
        ({ start, end, readable, writable, executable, private: isPrivate, fileOffset, inode, path }) =>
          `${hex(start)}-${hex(end)} ${readable ? 'r' : '-'}${writable ? 'w' : '-'}${executable ? 'x' : '-'}` +
          `${isPrivate ? 'p' : 's'} ${hex(fileOffset)} fe:00 ${inode} ${path === '' ? '' : `     ${path}`}\n`,
      );
      expect(parseMaps(lines.join(''))).toEqual(all);
    }),
  );
});

test('any text is parsed without an exception, into integers', () => {
  const line = fc
    .tuple(
      fc.constantFrom('7f00-8000', '1-', 'g-h'),
      fc.constantFrom(' rw-p', ' r'),
      fc.constantFrom(' 0 0:0 7 /x', ''),
    )
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.array(fc.oneof(line, fc.string())), (lines) => {
      for (const { start, end, fileOffset, inode } of parseMaps(lines.join('\n'))) {
        for (const number of [start, end, fileOffset, inode]) expect(Number.isInteger(number)).toBe(true);
      }
    }),
  );
});

test('an address is found in the mapping that contains it, or in none', () => {
  const address = fc.oneof(fc.nat(2 ** 30), fc.tuple(fc.nat(29), fc.constantFrom(-1, 0, 1)));
  fc.assert(
    fc.property(mappings, address, (all, where) => {
      const at = typeof where === 'number' ? where : (all[where[0]]?.end ?? 0) + where[1];
      expect(mappingAt(all, at)).toBe(all.find(({ start, end }) => start <= at && at < end) ?? null);
    }),
  );
  for (const mapping of capture) {
    expect(mappingAt(capture, mapping.start)).toBe(mapping);
    expect(mappingAt(capture, mapping.end - 1)).toBe(mapping);
  }
});

test('this process can be read, and one that does not exist is null', () => {
  const own = readMaps(process.pid)!;
  expect(own.map(({ path }) => path)).toEqual(expect.arrayContaining(['[stack]', '[vdso]', process.execPath]));
  // In the kernel's order, which `mappingAt` needs.
  for (const [index, { start, end }] of own.entries()) {
    expect(end).toBeGreaterThan(start);
    expect(start).toBeGreaterThanOrEqual(own[index - 1]?.end ?? 0);
  }
  expect(readMaps(2 ** 30)).toBeNull();
});
