import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CAUSE_NAMES, causeOfRank, CAUSES, RANK } from './causes.ts';

test('ranks are the order of the causes, and map back to them', () => {
  expect(CAUSE_NAMES.map((cause) => RANK[cause])).toEqual([...CAUSE_NAMES.keys()]);
  expect(CAUSE_NAMES.map((_, rank) => causeOfRank(rank))).toEqual(CAUSE_NAMES);
  expect(() => causeOfRank(CAUSE_NAMES.length)).toThrow('no cause has rank 10');
  expect(() => causeOfRank(-1)).toThrow(RangeError);
});

test('the most harmless cause is an identical page, and the most stubborn is data', () => {
  expect(CAUSE_NAMES[0]).toBe('identical');
  expect(CAUSE_NAMES.at(-1)).toBe('payload');
});

test('each cause has a sentence and a different color', () => {
  for (const { meaning, color } of Object.values(CAUSES)) {
    expect(meaning).toMatch(/^[A-Z].*\.$/);
    expect(color).toMatch(/^#[0-9a-f]{6}$/);
  }
  expect(new Set(Object.values(CAUSES).map(({ color }) => color)).size).toBe(CAUSE_NAMES.length);
});

test('the table of docs/why.md has all causes, in order', () => {
  const docs = readFileSync(new URL('../../../docs/why.md', import.meta.url), 'utf8');
  const table = docs.slice(docs.indexOf('| cause | the changed word is'));
  const named = [...table.slice(0, table.indexOf('\n\n')).matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name);
  expect(named).toEqual(CAUSE_NAMES);
});
