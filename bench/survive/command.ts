/** Runs a command of `cowherd` as a person would, and times it. */
import { execFile } from 'node:child_process';
import { monotonicClock } from '../../src/base/clock.ts';
import { CHECKOUT, COWHERD } from '../lib/places.ts';
import { MARK_OF_STARTED } from '../lib/processes.ts';

export interface CommandResult {
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

const HANGS_AFTER_MS = 120_000;
const LONGEST_OUTPUT = 16 * 1024 * 1024;

/** `status` is the exit status, or the signal that ended the command, for instance because it hung. */
export async function runCowherd(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<CommandResult> {
  const [mark = '', value = ''] = MARK_OF_STARTED.split('=');
  const started = monotonicClock.now();
  return await new Promise((resolve) => {
    execFile(
      COWHERD,
      args,
      {
        cwd: CHECKOUT,
        env: { ...process.env, ...environment, [mark]: value },
        timeout: HANGS_AFTER_MS,
        maxBuffer: LONGEST_OUTPUT,
      },
      (error, stdout, stderr) => {
        const status = error === null ? 0 : (error.code ?? error.signal ?? error.message);
        resolve({ status, stdout, stderr, ms: monotonicClock.now() - started });
      },
    );
  });
}
