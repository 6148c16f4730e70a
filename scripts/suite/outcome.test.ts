import { describe, expect, test } from 'vitest';
import { lastLine, notRun, outcomeOf, sumOf } from './outcome.ts';

const skip = (test: string, reason: string | null) => ({ test, reason });

describe('a step', () => {
  test('that counts no tests is one', () => {
    expect(outcomeOf(null, true)).toEqual({ passed: 1, failed: 0, skips: [] });
    expect(outcomeOf(null, false)).toEqual({ passed: 0, failed: 1, skips: [] });
  });

  test('that fails with no failed test to show for it has one more failure', () => {
    expect(outcomeOf({ passed: 5, failed: 0, skips: [] }, false)).toMatchObject({ passed: 5, failed: 1 });
    expect(outcomeOf({ passed: 5, failed: 2, skips: [] }, false)).toMatchObject({ passed: 5, failed: 2 });
  });

  test('fails by a test that is skipped and does not say why', () => {
    const report = { passed: 5, failed: 0, skips: [skip('a', 'needs root'), skip('b', null)] };
    expect(outcomeOf(report, true)).toMatchObject({ passed: 5, failed: 1 });
  });
});

test('what did not run is told by its reason, the longest list first', () => {
  const skips = [skip('a', 'needs KSM'), skip('b', 'needs root'), skip('c', 'needs root'), skip('d', null)];
  expect(notRun(skips)).toEqual([
    '  needs root:',
    '    b',
    '    c',
    '  needs KSM:',
    '    a',
    '  NO REASON IS GIVEN, which counts as a failure:',
    '    d',
  ]);
  expect(notRun([])).toEqual([]);
});

test('the last line is of all steps', () => {
  const outcomes = [
    { passed: 5, failed: 1, skips: [] },
    { passed: 7, failed: 0, skips: [skip('a', 'needs root')] },
  ];
  expect(lastLine(sumOf(outcomes))).toBe('12 passed, 1 failed, 1 skipped');
  expect(lastLine(sumOf([]))).toBe('0 passed, 0 failed');
});
