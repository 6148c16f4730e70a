import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ENTRY_POINTS } from './bundle.ts';
import { ROOT } from './run.ts';

test('each file that is started as a thread is in the bundle, under the name by which it is started', () => {
  const started = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).flatMap((name) => {
    if (!name.endsWith('.ts')) return [];
    const file = path.join('src', name);
    const source = readFileSync(path.join(ROOT, file), 'utf8');
    return [...source.matchAll(/new URL\('\.\/([\w-]+)\.js', import\.meta\.url\)/g)].map(([, thread = '']) => [
      thread,
      path.join(path.dirname(file), `${thread}.ts`),
    ]);
  });
  expect(started.length).toBeGreaterThan(0);
  const { main: _, ...threads } = ENTRY_POINTS;
  expect(Object.fromEntries(started)).toEqual(threads);
});
