import { expect, test } from 'vitest';
import { Frontier, shapeOf } from './shapes.ts';

test.each([
  ['/pages/12/', '/pages/345/'],
  ['/list?page=2&sort=a', '/list?sort=b&page=9'],
  ['/a/0b7ad5c2-3f4e-4d11-9a52-0f3f5f0c6a11/', '/a/ffffffff-3f4e-4d11-9a52-0f3f5f0c6a11/'],
  ['/static/a.12ab.css', '/static/other/b.css?v=3'],
])('%s and %s are of one shape', (one, other) => {
  expect(shapeOf(one)).toBe(shapeOf(other));
});

test.each([
  ['/pages/12/', '/pages/12/edit/'],
  ['/list?page=2', '/list'],
  ['/static/a.css', '/static/a.js'],
])('%s and %s are not', (one, other) => {
  expect(shapeOf(one)).not.toBe(shapeOf(other));
});

test('a few of each shape are followed, in the order in which they were found, each once', () => {
  const frontier = new Frontier(2);
  for (const path of ['/p/1', '/p/1', '/q', '/p/2', '/p/3']) frontier.add(path);
  const followed = [];
  for (let path = frontier.next(); path !== undefined; path = frontier.next()) followed.push(path);
  expect(followed).toEqual(['/p/1', '/q', '/p/2']);
});
