/** Each part of the state is written by the file that its type names, and by no other. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { own, type Draft } from './draft.ts';
import { initialState } from './state.ts';

const SUPERVISOR = join(import.meta.dirname, '..');

/** The files that define the means of writing; they write nothing. */
const MEANS = new Set(['herd/draft.ts', 'herd/state.ts', 'herd/writable.ts']);

const STATE = readFileSync(join(SUPERVISOR, 'herd/state.ts'), 'utf8');

/** By name of a type in state.ts: the file that writes it. */
const OWNERS = new Map(
  [...STATE.matchAll(/Written by `([^`]+)` alone\. \*\/\nexport interface (\w+)/g)].map(([, file, type]) => [
    type,
    file,
  ]),
);

/** Types of rules/ that lie within a part of the state. */
const WITHIN = new Map([['RecycleWatch', 'RecyclingPart']]);

const PARTS = (/export interface HerdState\s+extends([^{]+)\{\}/.exec(STATE)?.[1] ?? '')
  .split(',')
  .map((part) => part.trim());

/** By path under src/supervisor/: its text, without tests and what they use. */
const SOURCES = new Map(
  readdirSync(SUPERVISOR, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.startsWith('samples/'))
    .filter((file) => !MEANS.has(file))
    .map((file) => [file, readFileSync(join(SUPERVISOR, file), 'utf8')]),
);

/** Every place where a part becomes writable: the file and the type. */
function writers(text: string): string[] {
  return [...text.matchAll(/\b(?:own|Writable)<([^>]*)>/g)].map(([, type = '']) => WITHIN.get(type) ?? type);
}

describe('the owners', () => {
  test('are named for every part of the state', () => {
    expect(PARTS.length).toBeGreaterThan(10);
    expect(PARTS.filter((part) => !OWNERS.has(part))).toEqual([]);
  });

  test('are the only ones who make their part writable', () => {
    const found = [...SOURCES].flatMap(([file, text]) => writers(text).map((type) => ({ type, file })));
    expect(found.filter(({ type, file }) => OWNERS.get(type) !== file)).toEqual([]);
    expect(PARTS.filter((part) => !found.some(({ type }) => type === part))).toEqual([]);
  });

  test.each([
    ['makes a type writable', /-readonly\b/],
    ['assigns to an object whatever its type', /Object\.assign\((?!\{\})/],
    ['gives `own` another name', /\bown as\b/],
  ])('are not passed over by a file that %s', (_, pattern) => {
    const pure = [...SOURCES].filter(([file]) => file.startsWith('decisions/') || file.startsWith('herd/'));
    expect(pure.filter(([, text]) => pattern.test(text)).map(([file]) => file)).toEqual([]);
  });
});

test('the compiler refuses a write to the state as everybody sees it', () => {
  const refused = (draft: Draft): void => {
    // @ts-expect-error A field.
    draft.state.phase = 'ended';
    // @ts-expect-error A record that is added.
    draft.state.forking[1] = { generation: 1, askedAtMs: 0 };
    // @ts-expect-error A record that is removed.
    delete draft.state.workers[1];
    for (const worker of Object.values(draft.state.workers)) {
      // @ts-expect-error A field of a record.
      worker.phase = 'draining';
    }
    // @ts-expect-error An array.
    draft.state.guardCalls.push();
    // @ts-expect-error The part has to be named.
    own(draft).target = 1;
  };
  expect(() => refused({ state: initialState(), nowMs: 0, actions: [], answer: null })).not.toThrow();
});
