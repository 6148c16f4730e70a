import { expect, test } from 'vitest';
import { choose, readList, readSum, sumLine } from './runs.ts';

const LIST = `CPython 3.9.18    /usr/bin/python3.9
CPython 3.11.2    /usr/bin/python3.11
CPython 3.11.7    /opt/python/3.11.7/bin/python3
CPython 3.14.8    /opt/python/3.14.8/bin/python3
CPython 3.15.0    /opt/python/3.15.0/bin/python3
not found: 3.10, 3.12, 3.13 (scripts/get-interpreters.sh brings 3.14 and 3.15)
`;

test('the newest of each that is asked for, and nothing that the packages have no wheels for', () => {
  const found = readList(LIST);
  const chosen = (...asked: string[]): string[] => choose(found, asked).map(({ version }) => version);
  expect(found.length).toBe(5);
  expect(chosen('newest', '3.11')).toEqual(['3.14.8', '3.11.7']);
  expect(chosen('3.11.2')).toEqual(['3.11.2']);
  expect(chosen('3.14', 'newest')).toEqual(['3.14.8']);
  expect(chosen('3.1', '3.12')).toEqual([]);
  expect(chosen()).toEqual(['3.9.18', '3.11.2', '3.11.7', '3.14.8']);
});

test('the last line that counts tests is that of the run', () => {
  expect(readSum('51 passed, 0 failed\n  3 passed, 1 failed\n12 passed, 1 failed, 3 skipped\nmake: Error 1\n')).toEqual(
    {
      passed: 12,
      failed: 1,
      skipped: 3,
    },
  );
  expect(readSum('Tests 12 passed\n')).toBeNull();
  expect(sumLine([{ passed: 1, failed: 0, skipped: 0 }])).toBe('1 passed, 0 failed');
  expect(
    sumLine([
      { passed: 1, failed: 0, skipped: 2 },
      { passed: 4, failed: 1, skipped: 0 },
    ]),
  ).toBe('5 passed, 1 failed, 2 skipped');
});
