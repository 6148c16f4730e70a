/** Looks at a herd again and again: its capacity, which `capacity.ts` counts, and how many workers it has recycled. */
import { closeSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseRow, ROW_BYTES } from '../../src/agent/scoreboard.ts';
import { monotonicClock } from '../../src/base/clock.ts';
import { isSystemError } from '../../src/base/errors.ts';
import { SCOREBOARD } from '../../src/supervisor/runtime-directory.ts';
import { isAlive } from '../lib/processes.ts';
import type { CapacitySample } from './capacity.ts';
import type { Herd } from './herd.ts';

const LOOK_EVERY_MS = 10;
/** Rows of the scoreboard that are looked at: slots are taken from the lowest on. */
const SLOTS_SEEN = 64;

/**
 * Who lives is the kernel's word, who is ready the scoreboard's (it stands while there is no supervisor), and who is
 * told to leave, or has become a mold, only the supervisor knows: its latest word counts.
 */
export class CapacityWatch {
  readonly samples: CapacitySample[] = [];
  readonly #herd: Herd;
  readonly #looking: Promise<void>;
  #wanted: number | null = null;
  #notServing = new Set<number>();
  #over = false;
  #recyclesSeen = 0;
  /** Workers recycled since the first look, also by supervisors that are no more. */
  recycles = 0;

  constructor(herd: Herd) {
    this.#herd = herd;
    this.#looking = this.#watch();
  }

  /** No more looks. Throws what went wrong in one. */
  async end(): Promise<CapacitySample[]> {
    this.#over = true;
    await this.#looking;
    return this.samples;
  }

  async #watch(): Promise<void> {
    while (!this.#over) {
      await this.#look();
      await sleep(LOOK_EVERY_MS);
    }
  }

  async #look(): Promise<void> {
    const report = await this.#herd.status();
    if (report !== null) {
      const leaving = report.workers.filter(({ state }) => state !== 'ready' && state !== 'booting');
      const seen = Object.values(report.herd.recycling.counts).reduce((sum, count) => sum + count, 0);
      // A new supervisor may count from 0 again.
      this.recycles += seen < this.#recyclesSeen ? seen : seen - this.#recyclesSeen;
      this.#recyclesSeen = seen;
      this.#wanted = report.herd.workers_wanted;
      this.#notServing = new Set([...leaving, ...report.molds].flatMap(({ pid }) => pid ?? []));
    }
    const atMs = monotonicClock.now();
    const pids = readyInScoreboard(path.join(this.#herd.runtimeDirectory, SCOREBOARD));
    if (pids === null || this.#wanted === null) return;
    const ready = pids.filter((pid) => isAlive(pid) && !this.#notServing.has(pid)).length;
    this.samples.push({ atMs, wanted: this.#wanted, ready });
  }
}

/** The pids in the rows that say `ready`; null where there is no scoreboard. */
function readyInScoreboard(file: string): number[] | null {
  let descriptor;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw error;
  }
  try {
    const bytes = Buffer.alloc(SLOTS_SEEN * ROW_BYTES);
    const rows = Math.floor(readSync(descriptor, bytes, 0, bytes.length, ROW_BYTES) / ROW_BYTES);
    return Array.from({ length: rows }, (_, slot) => parseRow(bytes.subarray(slot * ROW_BYTES, (slot + 1) * ROW_BYTES)))
      .filter((row) => row.state === 'ready')
      .map((row) => row.pid);
  } finally {
    closeSync(descriptor);
  }
}
