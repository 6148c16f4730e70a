/**
 * Watches the host's memory from a separate process, so that the measured work can't delay it.
 *
 * Reads MemAvailable every 2 ms into memory allocated beforehand. Sends `watching` over IPC when it has begun; replies
 * to the first message with `{startBytes, leastBytes, samples}`, and ends.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { HostMemoryWatched } from './host-memory.ts';

const EVERY_MS = 2;
const KIBIBYTE = 1024;

const meminfo = openSync('/proc/meminfo', 'r');
const buffer = Buffer.alloc(4096);

function availableBytes(): number {
  const length = readSync(meminfo, buffer, 0, buffer.length, 0);
  const found = /^MemAvailable: +(\d+) kB$/m.exec(buffer.toString('latin1', 0, length));
  if (found === null) throw new Error('/proc/meminfo tells no MemAvailable');
  return Number(found[1]) * KIBIBYTE;
}

const watched: HostMemoryWatched = { startBytes: 0, leastBytes: Infinity, samples: 0 };

function look(): void {
  const available = availableBytes();
  if (watched.samples === 0) watched.startBytes = available;
  watched.leastBytes = Math.min(watched.leastBytes, available);
  watched.samples += 1;
}

// Warms up, so that this process's own memory doesn't change while it watches.
for (let warmup = 0; warmup < 500; warmup += 1) availableBytes();
const timer = setInterval(look, EVERY_MS);
look();
process.send?.('watching');
process.once('message', () => {
  clearInterval(timer);
  look();
  closeSync(meminfo);
  process.send?.(watched, () => process.disconnect());
});
