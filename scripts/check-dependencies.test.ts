import { expect, test } from 'vitest';
import { problems } from './check-dependencies.ts';

test('an install script is refused in a runtime dependency only', () => {
  expect(problems({ 'node_modules/a': { hasInstallScript: true, dev: true } })).toEqual([]);
  expect(problems({ 'node_modules/a': { hasInstallScript: true } })).toHaveLength(1);
  expect(problems({ 'node_modules/a': { hasInstallScript: true, devOptional: true } })).toHaveLength(1);
});

test('an entry that names its host is refused', () => {
  expect(problems({ 'node_modules/a': { resolved: 'https://registry.example/a.tgz' } })).toHaveLength(1);
});
