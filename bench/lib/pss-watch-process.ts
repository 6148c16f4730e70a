/**
 * Repeatedly sums up the proportional memory (PSS) of all processes that carry a mark, from a separate process.
 *
 * A pass over 20 processes of 300 MiB takes the kernel about 100 ms, and they run on meanwhile. So don't use it while
 * times are measured. Sends `watching` over IPC after the first pass; replies to the first message with a PssWatched.
 */
import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { readSmapsRollup } from '../../src/procfs/smaps-rollup.ts';
import { markedProcesses } from './processes.ts';
import type { PssWatched } from './pss-watch.ts';

const EVERY_MS = 20;
const NICE = 10;

const mark = process.argv[2] ?? '';
const enough = new AbortController();

function sum(): number {
  return markedProcesses(mark).reduce((total, { pid }) => total + (readSmapsRollup(pid)?.pss ?? 0), 0);
}

setPriority(NICE);
const startBytes = sum();
const watched: PssWatched = { startBytes, mostBytes: startBytes, looks: 1 };
process.once('message', () => enough.abort());
process.send?.('watching');
while (!enough.signal.aborted) {
  await sleep(EVERY_MS);
  watched.mostBytes = Math.max(watched.mostBytes, sum());
  watched.looks += 1;
}
process.send?.(watched, () => process.disconnect());
