import { expect, test } from 'vitest';
import type { CowherdRun } from './observation.ts';
import { cowherd, gunicorn, observationOf, packageOf } from './samples.ts';
import { judge } from './verdict.ts';

const wrong = [{ request: '/3', expected: '200 a', got: '200 b' }];

test('where both do the same there is no difference', () => {
  expect(judge(observationOf(), packageOf())).toEqual({
    served: true,
    reforked: true,
    differences: [],
    named: [],
    fault: null,
  });
});

const differences: [string, Partial<CowherdRun>, string, RegExp][] = [
  ['an answer', { wrong }, 'answer', /1 wrong answers; \/3: 200 b, not 200 a/],
  ['a reload that fails', { reload: { ...cowherd.reload, failure: 'Error X' } }, 'reload', /Error X/],
  ['an answer during a reload', { reload: { ...cowherd.reload, wrong } }, 'reload', /meanwhile/],
  ['a refork that fails', { refork: { ...cowherd.refork, failure: 'Error X' } }, 'refork', /Error X/],
  ['a refork without requests', { refork: { ...cowherd.refork, requests: 0 } }, 'refork', /no request/],
  ['a warning', { warnings: ['Fork safety: x'] }, 'warning', /x/],
  ['an exception in the output', { output: ['AssertionError'] }, 'output', /Assertion/],
  ['a status', { stop: { ...cowherd.stop, status: 1 } }, 'stop', /status 1/],
  ['a signal', { stop: { ...cowherd.stop, status: null } }, 'stop', /status null/],
  ['a slow stop', { stop: { ...cowherd.stop, seconds: 40 } }, 'stop', /took 40 s, gunicorn 0 s/],
  ['what is left', { stop: { ...cowherd.stop, left: ['a listener'] } }, 'stop', /left behind: a listener/],
];

test.each(differences)('%s is a difference', (_, seen, kind, what) => {
  const verdict = judge(observationOf({ cowherd: { ...cowherd, ...seen } }), packageOf());
  expect(verdict.differences).toEqual([{ kind, what: expect.stringMatching(what) }]);
});

test('a stop that gunicorn does not do sooner either is none', () => {
  const slow = observationOf({
    gunicorn: { ...gunicorn, stopSeconds: 30 },
    cowherd: { ...cowherd, stop: { ...cowherd.stop, seconds: 30.5 } },
  });
  expect(judge(slow, packageOf()).differences).toEqual([]);
});

test('a wrong answer means that the package is not served, a failed refork that it is not reforked', () => {
  expect(judge(observationOf({ cowherd: { ...cowherd, wrong } }), packageOf())).toMatchObject({
    served: false,
    reforked: false,
  });
  const refork = { ...cowherd.refork, failure: 'Error X' };
  expect(judge(observationOf({ cowherd: { ...cowherd, refork } }), packageOf())).toMatchObject({
    served: true,
    reforked: false,
  });
});

test('a start that fails is told by the line of its error', () => {
  const log = 'much\nError MOLD_DIED: The mold died.\nDo this.\n';
  const verdict = judge(observationOf({ cowherd: { started: false, log } }), packageOf());
  expect(verdict).toMatchObject({
    served: false,
    differences: [{ kind: 'start', what: 'Error MOLD_DIED: The mold died.' }],
  });
});

test('what the log says of a rollout that failed is part of that difference', () => {
  const warnings = ['Mold 3 failed: x', 'Refork to generation 3 failed: x', 'other'];
  const failed = { ...cowherd, warnings, refork: { ...cowherd.refork, failure: 'Error X' } };
  const kinds = judge(observationOf({ cowherd: failed }), packageOf()).differences.map(({ what }) => what);
  expect(kinds).toEqual(['Error X', 'other']);
  expect(judge(observationOf({ cowherd: { ...cowherd, warnings } }), packageOf()).differences).toHaveLength(3);
});

test.each([
  ['did not start', { started: false as const, log: 'x' }],
  ['answered with an error', { ...gunicorn, failed: ['/1: 500'] }],
  ['gave the same answer twice', { ...gunicorn, distinct: 49 }],
])('where gunicorn %s nothing is shown', (_, run) => {
  const verdict = judge(observationOf({ gunicorn: run, cowherd: null }), packageOf());
  expect(verdict).toMatchObject({ served: false, reforked: false, differences: [] });
  expect(verdict.fault).not.toBeNull();
});

const exception = (more = ''): string =>
  `exceptions = [{ kind = "warning", pattern = "^Fork safety", reason = "a reason that is long enough"${more} }]`;

test('an exception names a difference of its kind, whose text it matches, on its interpreters', () => {
  const warned = observationOf({ cowherd: { ...cowherd, warnings: ['Fork safety: x', 'Guard: y'] } });
  const verdict = judge(warned, packageOf(exception()));
  expect(verdict.named.map(({ difference }) => difference.what)).toEqual(['Fork safety: x']);
  expect(verdict.differences.map(({ what }) => what)).toEqual(['Guard: y']);
  expect(judge(warned, packageOf(exception(', pythons = ["3.14"]'))).named).toEqual([]);
  const output = observationOf({ cowherd: { ...cowherd, output: ['Fork safety: x'] } });
  expect(judge(output, packageOf(exception())).named).toEqual([]);
});
