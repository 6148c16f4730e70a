import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { INSTALLATION, installationAbove } from './installation.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'cowherd-installation-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('the checkout is found from its sources', () => {
  expect(INSTALLATION).toBe(path.resolve(import.meta.dirname, '../..'));
});

test('a package is found from its bundle, and a folder without an agent is refused by name', () => {
  const bundle = path.join(folder, 'share', 'cowherd', 'dist', 'cli');
  mkdirSync(bundle, { recursive: true });
  expect(() => installationAbove(bundle)).toThrow(`the installation is damaged: no agent/launch.py above ${bundle}`);
  mkdirSync(path.join(folder, 'share', 'cowherd', 'agent'));
  writeFileSync(path.join(folder, 'share', 'cowherd', 'agent', 'launch.py'), '');
  expect(installationAbove(bundle)).toBe(path.join(folder, 'share', 'cowherd'));
});
