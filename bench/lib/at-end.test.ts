/** A runner that is told to end, by make or by a terminal, leaves nothing running. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hasEnded, identify, kill, type ProcessIdentity } from './processes.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-bench-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Starts a process with an empty environment, as gunicorn with setproctitle has. Prints its pid. */
function runner(): string {
  const file = path.join(folder, 'runner.mjs');
  const lib = (name: string): string => JSON.stringify(path.join(import.meta.dirname, name));
  writeFileSync(
    file,
    `
import { endStartedAtEnd } from ${lib('at-end.ts')};
import { startProcess } from ${lib('processes.ts')};
endStartedAtEnd(() => console.log('ended'));
const cwd = ${JSON.stringify(folder)};
const { pid } = startProcess('env', ['-i', 'sleep', '100'], { cwd, log: '/dev/null' });
console.log(pid);
setInterval(() => {}, 1000);
`,
  );
  writeFileSync(path.join(folder, 'Makefile'), `run:\n\t@${process.execPath} --import tsx ${file}\n`);
  return file;
}

async function started(child: ChildProcess): Promise<{ server: ProcessIdentity; said: () => string }> {
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  while (!said.includes('\n')) {
    expect(child.exitCode).toBeNull();
    await sleep(10);
  }
  // env replaces itself with sleep, so the pid stays the same.
  return { server: identify(Number(said))!, said: () => said };
}

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('it is told with %s', async (signal) => {
  const child = spawn(process.execPath, ['--import', 'tsx', runner()], { cwd: ROOT });
  const { server, said } = await started(child);
  child.kill(signal);
  await once(child, 'close');
  expect(said()).toContain('ended');
  expect(hasEnded(server)).toBe(true);
});

test('make is told, and tells it', async () => {
  runner();
  const child = spawn('make', ['-f', path.join(folder, 'Makefile')], { cwd: ROOT });
  const { server } = await started(child);
  kill(child.pid!, 'SIGTERM');
  await once(child, 'close');
  expect(hasEnded(server)).toBe(true);
});
