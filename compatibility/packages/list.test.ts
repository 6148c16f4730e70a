import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { FOLDER, parseList, readList } from './list.ts';

test('a package needs no more than its name', () => {
  const [first] = parseList('[[package]]\nname = "ruamel.yaml"\n');
  expect(first).toMatchObject({ name: 'ruamel.yaml', use: 'ruamel_yaml', worker: 'sync', exceptions: [] });
});

test('the list is sorted by name, whatever its letters', () => {
  const names = parseList('[[package]]\nname = "b"\n[[package]]\nname = "C"\n[[package]]\nname = "A"\n');
  expect(names.map(({ name }) => name)).toEqual(['A', 'b', 'C']);
});

test.each([
  ['an unknown key', '[[package]]\nname = "a"\nwheels = true\n'],
  ['an unknown service', '[[package]]\nname = "a"\nservices = ["oracle"]\n'],
  ['an exception without a reason', '[[package]]\nname = "a"\nexceptions = [{ kind = "stop", pattern = "." }]\n'],
  ['a name twice', '[[package]]\nname = "a"\n[[package]]\nname = "A"\n'],
])('%s is refused', (_, text) => {
  expect(() => parseList(text)).toThrow(/./);
});

const list = readList();
const uses = readdirSync(path.join(FOLDER, 'uses')).filter((name) => name.endsWith('.py'));
/** Modules shared by several uses. */
const SHARED = new Set(['django_site.py']);

test('there are a hundred and fifty packages, each with a use', () => {
  expect(list.length).toBeGreaterThanOrEqual(150);
  expect(list.map(({ use }) => `${use}.py`).sort()).toEqual(uses.filter((name) => !SHARED.has(name)).sort());
});

test('what the list names is there', () => {
  for (const { companion, exceptions } of list) {
    if (companion !== undefined) expect(existsSync(path.join(FOLDER, 'companions', companion)), companion).toBe(true);
    for (const { pattern } of exceptions) expect(() => new RegExp(pattern, 's')).not.toThrow();
  }
});
