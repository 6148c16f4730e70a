/** Polls a herd for its capacity, which `capacity.ts` evaluates, and for the number of recycled workers. */
import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseRow, ROW_BYTES } from '../../src/agent/scoreboard.ts';
import { monotonicClock } from '../../src/base/clock.ts';
import { isSystemError } from '../../src/base/errors.ts';
import { isAlive } from '../lib/processes.ts';
import type { CapacitySample } from './capacity.ts';
import type { Herd } from './herd.ts';

const LOOK_EVERY_MS = 10;

/**
 * The kernel tells which workers live, and the scoreboard which are ready; it exists even without a supervisor. Only
 * the supervisor knows which workers were told to leave or have become molds: its latest answer counts.
 */
export class CapacityWatch {
  readonly samples: CapacitySample[] = [];
  readonly #herd: Herd;
  readonly #looking: Promise<void>;
  #wanted: number | null = null;
  #notServing = new Set<number>();
  #over = false;
  #recyclesSeen = 0;
  #keeperPid: number | null = null;
  /** Workers recycled since the start, including those by earlier supervisors. */
  recycles = 0;

  constructor(herd: Herd) {
    this.#herd = herd;
    this.#looking = this.#watch();
  }

  /** Stops looking, and returns all samples. Throws the error of a look that failed. */
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

  #countReady(): number | null {
    const pids = readyInScoreboard(this.#keeperPid);
    return pids?.filter((pid) => isAlive(pid) && !this.#notServing.has(pid)).length ?? null;
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
      this.#keeperPid = report.herd.keeper.pid;
      this.#notServing = new Set([...leaving, ...report.molds].flatMap(({ pid }) => pid ?? []));
    }
    const atMs = monotonicClock.now();
    let ready = this.#countReady();
    // Rows are read one after the other, so a change between two reads may be missed in both. A second count sees it.
    if (ready !== null && this.#wanted !== null && ready < this.#wanted) ready = this.#countReady();
    if (ready === null || this.#wanted === null) return;
    this.samples.push({ atMs, wanted: this.#wanted, ready });
  }
}

/** Pids of the workers whose rows say `ready`; null without a keeper. The rows are files that the keeper holds open. */
function readyInScoreboard(keeperPid: number | null): number[] | null {
  if (keeperPid === null) return null;
  const folder = `/proc/${keeperPid}/fd`;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EACCES')) return null;
    throw error;
  }
  return names.flatMap((name) => readyIn(path.join(folder, name)));
}

/** The pid in a scoreboard row that says `ready`. A worker may leave at any time, and its row with it. */
function readyIn(file: string): number[] {
  let descriptor: number | null = null;
  try {
    if (!readlinkSync(file).startsWith('/memfd:cowherd-scoreboard')) return [];
    descriptor = openSync(file, 'r');
    const bytes = Buffer.alloc(ROW_BYTES);
    readSync(descriptor, bytes, 0, bytes.length, 0);
    const row = parseRow(bytes);
    return row.state === 'ready' ? [row.pid] : [];
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ESRCH')) return [];
    throw error;
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}
