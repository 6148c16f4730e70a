/** Runs the tools that make packages. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';

export const ROOT = path.resolve(import.meta.dirname, '../..');

/**
 * Runs a tool and returns its output.
 *
 * @throws Error with what the tool said, if it fails
 */
export function run(command: string, args: readonly string[], cwd = ROOT): string {
  // The tools must not depend on the caller: a date of the caller's would change the bytes.
  const { SOURCE_DATE_EPOCH: _, ...env } = process.env;
  return execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}
