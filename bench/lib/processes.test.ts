import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  childrenOf,
  endAllStarted,
  hasEnded,
  identify,
  startedHere,
  startedSince,
  startProcess,
  treeOf,
} from './processes.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-bench-'));
});
afterEach(() => {
  endAllStarted();
  rmSync(folder, { recursive: true });
});

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 10) {
    if (waited > 60_000) throw new Error('waited in vain');
    await setTimeout(10);
  }
}

test('what a process starts in a session of its own ends with the rest', async () => {
  const log = path.join(folder, 'log');
  const { pid } = startProcess('sh', ['-c', 'setsid sleep 100 & echo $!; exec sleep 100'], { cwd: folder, log });
  await until(() => readFileSync(log, 'utf8').endsWith('\n'));
  const orphan = identify(Number(readFileSync(log, 'utf8')))!;
  const root = identify(pid)!;
  await until(() => startedHere().length === 2);
  expect(childrenOf(pid)).toEqual([orphan.pid]);
  expect(treeOf(pid)).toEqual(expect.arrayContaining([root, orphan]));
  endAllStarted();
  await until(() => hasEnded(root) && hasEnded(orphan));
  expect(startedHere()).toEqual([]);
});

test('what has written over its environment ends too, also when the one that was started is gone', async () => {
  // setproctitle leaves nothing of it.
  const log = path.join(folder, 'log');
  const lines = 'env -i sleep 100 & env -i setsid sleep 100 & env -i sleep 100 & wait';
  const { pid } = startProcess('env', ['-i', 'sh', '-c', lines], { cwd: folder, log });
  await until(() => startedHere().length === 4);
  const { pid: gone } = startProcess('sh', ['-c', 'env -i sleep 100 & echo $!'], { cwd: folder, log });
  await until(() => startedHere().length === 5 && !startedHere().some((each) => each.pid === gone));
  const all = startedHere();
  expect(all).toEqual(expect.arrayContaining([identify(pid), identify(Number(readFileSync(log, 'utf8')))]));
  endAllStarted();
  await until(() => all.every(hasEnded));
});

test('what a process starts later is its own, and not what has been started since', async () => {
  const log = path.join(folder, 'log');
  execFileSync('mkfifo', [path.join(folder, 'go-on')]);
  const script = 'cat go-on; env -i sleep 100; true';
  const database = startProcess('sh', ['-c', script], { cwd: folder, log });
  await until(() => childrenOf(database.pid).length === 1);
  const before = startedHere();
  const server = startProcess('sleep', ['100'], { cwd: folder, log });
  writeFileSync(path.join(folder, 'go-on'), '');
  const isLater = (pid: number): boolean => !before.some((each) => each.pid === pid);
  await until(() => childrenOf(database.pid).some(isLater) && startedHere().length === 3);
  expect(startedSince(before).map(({ pid }) => pid)).toEqual([server.pid]);
  endAllStarted();
  await until(() => startedHere().length === 0);
});

test('a process that is not there, or is a later one of the same number, has ended', () => {
  const self = identify(process.pid)!;
  expect(hasEnded(self)).toBe(false);
  expect(hasEnded({ ...self, startTime: (self.startTime - 1) as typeof self.startTime })).toBe(true);
  expect(identify(2 ** 30)).toBeNull();
});

test('a command that does not exist is an error', () => {
  expect(() => startProcess('/nonexistent', [], { cwd: folder, log: path.join(folder, 'log') })).toThrow(
    '/nonexistent',
  );
});
