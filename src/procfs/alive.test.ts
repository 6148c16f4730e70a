import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { isAlive } from './alive.ts';

test('a running process is alive, and a missing one is not', () => {
  expect(isAlive(process.pid)).toBe(true);
  expect(isAlive(2 ** 22 + 1)).toBe(false);
});

test('a zombie is not alive, although its pid still exists', async () => {
  // The shell's child ends after another program has replaced the shell, which does not wait for it.
  const child = 'while read -r name </proc/$$/comm && [ "$name" = sh ]; do :; done';
  const parent = spawn('sh', ['-c', `(${child}) & echo $!; exec sleep 600`], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const zombie = Number(line.toString().trim());
    await expect.poll(() => isAlive(zombie), { timeout: 100_000 }).toBe(false);
    expect(process.kill(zombie, 0)).toBe(true);
  } finally {
    parent.kill('SIGKILL');
  }
});
