import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** The seed that a failing property prints. */
function seedOfAFailure(seed?: string): number {
  const script = `
    await import('./scripts/suite/seed.ts');
    const { default: fc } = await import('fast-check');
    fc.assert(fc.property(fc.nat(), () => false));
  `;
  const { COWHERD_SEED: _, ...env } = process.env;
  const { stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    cwd: ROOT,
    encoding: 'utf8',
    env: seed === undefined ? env : { ...env, COWHERD_SEED: seed },
  });
  expect(stderr).toMatch(/Property failed after 1 tests/);
  return Number(/seed: (-?\d+)/.exec(stderr)?.[1]);
}

test('each run takes another seed, and prints the one that fails; that can be taken again', () => {
  const first = seedOfAFailure();
  expect(Number.isInteger(first)).toBe(true);
  expect(seedOfAFailure()).not.toBe(first);
  expect(seedOfAFailure(String(first))).toBe(first);
});

test('no property has a seed of its own, but those of decide() outside of CI', () => {
  const files = ['src', 'test', 'scripts', 'bench', 'compatibility'].flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => path.join(folder, name)),
  );
  const has = (file: string, pattern: RegExp): boolean => pattern.test(readFileSync(path.join(ROOT, file), 'utf8'));
  const properties = files.filter((file) => has(file, /^import .*\bfrom 'fast-check'/m));
  expect(properties.length).toBeGreaterThan(30);
  expect(properties.filter((file) => has(file, /\bseed\b\s*:/))).toEqual([
    'src/supervisor/decisions/decide.generated.test.ts',
  ]);
  expect(has('src/supervisor/decisions/decide.generated.test.ts', /CI === 'true'/)).toBe(true);
});
