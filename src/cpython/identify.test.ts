import fc from 'fast-check';
import { expect, test } from 'vitest';
import { interpreterByName, interpreterFiles, interpreterIn, minorInName } from './identify.ts';

const LIBRARY = '/opt/python/lib/libpython3.13.so.1.0';

test('files that may contain an interpreter: libraries, interpreter programs, then the running program', () => {
  expect(
    interpreterFiles(
      [
        '/opt/python/bin/python3.13',
        '/opt/python/lib/python3.13/lib-dynload/_struct.cpython-313-x86_64-linux-gnu.so',
        '/usr/lib/libc.so.6',
        LIBRARY,
        LIBRARY,
        '[vdso]',
        '',
      ],
      '/opt/python/bin/python3.13',
    ),
  ).toEqual([LIBRARY, '/opt/python/bin/python3.13']);
  expect(interpreterFiles(['/usr/bin/uwsgi', '/usr/lib/libc.so.6'], '/usr/bin/uwsgi')).toEqual(['/usr/bin/uwsgi']);
  expect(interpreterFiles(['/usr/bin/uwsgi', '/usr/lib/libpython3.11.so.1.0'], '/usr/bin/uwsgi')).toEqual([
    '/usr/lib/libpython3.11.so.1.0',
    '/usr/bin/uwsgi',
  ]);
  // The library of the limited API is empty.
  expect(interpreterFiles(['/usr/lib/libpython3.so', '/usr/bin/python3'], '/usr/bin/python3')).toEqual([
    '/usr/bin/python3',
  ]);
  expect(interpreterFiles(['/opt/pypy/bin/pypy3', '/opt/pypy/lib/libpypy3.10-c.so'], '/opt/pypy/bin/pypy3')).toEqual([
    '/opt/pypy/lib/libpypy3.10-c.so',
    '/opt/pypy/bin/pypy3',
  ]);
  expect(interpreterFiles([], '/bin/x')).toEqual(['/bin/x']);
});

test("the minor version in a file's name", () => {
  expect(minorInName(LIBRARY)).toBe(13);
  expect(minorInName('/usr/bin/python3.9')).toBe(9);
  expect(minorInName('/opt/pypy/lib/libpypy3.10-c.so')).toBe(10);
  expect(minorInName('/usr/bin/python3')).toBeNull();
  // The directory's name says nothing about the file.
  expect(minorInName('/opt/python3.12/bin/uwsgi')).toBeNull();
});

test.each([
  ['a string of its own', '\x003.13.0\0', '3.13.0'],
  ['the end of a folder', '/opt/python/3.13.2\0', '3.13.2'],
  ['a version before the release', '\x003.15.0a2+\0', '3.15.0a2+'],
  ['a release candidate', '\x003.14.0rc1\0', '3.14.0rc1'],
  ['behind that of the old Unicode data', '\x003.2.0\0 \x003.11.7\0', '3.11.7'],
])('the version in the data: %s', (_, text, version) => {
  const minor = Number(version.split('.')[1]);
  expect(interpreterIn('/usr/bin/uwsgi', `noise ${text} noise`)).toEqual({
    implementation: 'cpython',
    minor,
    version,
    freeThreaded: false,
  });
});

test('numbers that are not the version of an interpreter', () => {
  for (const text of ['3.13.0', '\x0013.13.0\0', '\x003.13.0 \0', '\x002.7.18\0', '\x003.2.0\0', '\x003.13\0', '']) {
    expect(interpreterIn('/usr/bin/uwsgi', text)).toBeNull();
  }
});

test('only the version in its name counts for a file', () => {
  expect(interpreterIn(LIBRARY, '\x003.11.7\0')).toBeNull();
  expect(interpreterIn(LIBRARY, '\x003.11.7\0..\x003.13.1\0')).toMatchObject({ minor: 13, version: '3.13.1' });
});

test('other builds', () => {
  const format = '%.80s free-threading build (%.80s) %.80s';
  expect(interpreterIn('/usr/bin/python3', `${format}\0\x003.13.0\0`)).toMatchObject({ freeThreaded: true });
  expect(interpreterIn('/usr/lib/libpython3.13t.so.1.0', '\x003.13.0\0')).toMatchObject({
    freeThreaded: true,
    minor: 13,
  });
  expect(interpreterIn('/opt/pypy/lib/libpypy3.10-c.so', '\x003.10.14\0')).toMatchObject({ implementation: 'pypy' });
  expect(interpreterIn('/usr/bin/x', '[PyPy 7.3.17\0\x003.10.14\0')).toMatchObject({ implementation: 'pypy' });
});

test('an interpreter by its name alone', () => {
  expect(interpreterByName('/usr/bin/python3.12')).toEqual({
    implementation: 'cpython',
    minor: 12,
    version: '3.12',
    freeThreaded: false,
  });
  expect(interpreterByName('/usr/bin/python3.14t')).toMatchObject({ freeThreaded: true });
  expect(interpreterByName('/opt/pypy/bin/pypy3.10')).toMatchObject({ implementation: 'pypy', minor: 10 });
  expect(interpreterByName('/usr/bin/python3')).toBeNull();
});

test('for any text, the version found is part of the text', () => {
  const piece = fc.oneof(fc.constantFrom('\0', '3.', '13', '.0', 'rc', '+', '/', '-'), fc.string({ maxLength: 4 }));
  fc.assert(
    fc.property(
      fc.array(piece).map((pieces) => pieces.join('')),
      (text) => {
        const found = interpreterIn('/usr/bin/x', text);
        if (found === null) return;
        expect(text).toContain(`${found.version}\0`);
        expect(found.minor).toBeGreaterThanOrEqual(6);
      },
    ),
    { numRuns: 1000 },
  );
});
