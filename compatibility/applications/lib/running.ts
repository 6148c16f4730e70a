/** Runs a command to its end, with its output in a file. */
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { startProcess } from '../../../bench/lib/processes.ts';

export interface RunOptions {
  readonly cwd: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly log: string;
}

const SHOWN_LINES = 15;

/** @throws Error with the end of the log, if the command fails */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<void> {
  mkdirSync(path.dirname(options.log), { recursive: true });
  const { child } = startProcess(command, args, options);
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status === 0) return;
  const end = readFileSync(options.log, 'utf8').trimEnd().split('\n').slice(-SHOWN_LINES).join('\n');
  throw new Error(`${[command, ...args].join(' ')} ended with ${status}; ${options.log} ends with\n${end}`);
}
