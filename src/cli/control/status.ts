/** `cowherd status`: the status of a running herd, once or, with `--watch`, again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CowherdError } from '../../base/errors.ts';
import { printable, printableJson } from '../../base/printable.ts';
import { findHerd } from '../herd/find-herd.ts';
import { formatStatus } from '../herd/herd-table.ts';
import { ksmLeftOn } from '../heal/ksm-left-on.ts';
import { readStatus } from '../herd/read-status.ts';

export interface StatusOptions {
  runtimeDir?: string;
  json?: boolean;
  watch?: boolean;
  /** Only tell whether the herd should get traffic. */
  ready?: boolean;
  /** Seconds between two updates with `watch`. */
  interval?: number;
}

const CLEAR_SCREEN = '\u001B[H\u001B[2J';

/** Prints the status; with `watch`, until interrupted or the herd has ended. */
export async function runStatus(options: StatusOptions): Promise<number> {
  if (options.ready === true) return await runReady(options);
  const directory = await findHerd(options.runtimeDir);
  const intervalMs = Math.max(0.1, options.interval ?? 1) * 1000;
  for (;;) {
    const report = await readStatus(directory);
    if (options.json === true) {
      process.stdout.write(`${printableJson(report, options.watch === true ? 0 : 2)}\n`);
    } else {
      const { isTTY, columns, rows } = process.stdout;
      const isRenewed = options.watch === true && isTTY;
      // A terminal of unknown size has 0 columns and 0 rows.
      const screen = isTTY && columns > 0 ? { columns, ...(isRenewed && rows > 0 ? { rows } : {}) } : undefined;
      const left = ksmLeftOn();
      const notices = left === null ? [] : [left];
      process.stdout.write(`${isRenewed ? CLEAR_SCREEN : ''}${formatStatus(report, screen, notices)}\n`);
    }
    if (options.watch !== true) return 0;
    await sleep(intervalMs);
  }
}

/** For probes: returns 0 without output if the herd is ready, else 1 and prints a line with the reason. */
async function runReady(options: StatusOptions): Promise<number> {
  let why: string | null;
  try {
    why = (await readStatus(await findHerd(options.runtimeDir))).herd.not_ready_because;
  } catch (error) {
    // With several herds the probe's command line is wrong: it must name one.
    if (!(error instanceof CowherdError) || error.code === 'SEVERAL_RUNNING') throw error;
    why = error.detail === null ? error.title : `${error.title}: ${error.detail}`;
  }
  if (why === null) return 0;
  process.stderr.write(`Not ready: ${printable(why)}\n`);
  return 1;
}
