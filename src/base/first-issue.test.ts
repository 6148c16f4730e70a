import * as v from 'valibot';
import { expect, test } from 'vitest';
import { firstIssue } from './first-issue.ts';

const schema = v.object({
  state: v.object({
    target: v.number(),
    molds: v.record(v.string(), v.object({ pid: v.nullable(v.number()), phase: v.picklist(['ready', 'loading']) })),
  }),
});

function issueOf(data: unknown): string {
  const result = v.safeParse(schema, data);
  return result.success ? 'it fits' : firstIssue(result.issues);
}

const mold = { pid: 4711, phase: 'ready' };

test.each([
  [
    'a wrong type',
    { target: 1, molds: { 3: { ...mold, pid: 'x' } } },
    'state.molds.3.pid: Expected number but received "x"',
  ],
  ['a wrong word', { target: 1, molds: { 3: { ...mold, phase: 'gone' } } }, 'state.molds.3.phase: Expected ("ready"'],
  ['a missing field', { molds: {} }, 'state.target is missing'],
  ['the first of several', { molds: 7 }, 'state.target is missing'],
  ['a text instead of an object', { target: 1, molds: 'x' }, 'state.molds: Expected Object but received "x"'],
])('%s is named by its field', (_, state, expected) => {
  expect(issueOf({ state })).toContain(expected);
});

test('data that is no object at all is named too', () => {
  expect(issueOf(null)).toBe('Expected Object but received null');
  expect(issueOf({ state: { target: 1, molds: {} } })).toBe('it fits');
});

test('a value with newlines makes one line', () => {
  expect(issueOf({ state: { target: 'a\nb\u001b', molds: {} } })).toBe(
    String.raw`state.target: Expected number but received "a\nb\x1b"`,
  );
});

test('a long value and a long key are cut', () => {
  expect(issueOf({ state: { target: 'x'.repeat(100_000), molds: {} } }).length).toBeLessThan(250);
  expect(issueOf({ state: { target: 1, molds: { ['y'.repeat(100_000)]: {} } } }).length).toBeLessThan(250);
});
