/**
 * Checks package-lock.json: no runtime dependency runs a script when it is installed, and no entry names the host it
 * was downloaded from (the lock must work with another registry or a mirror).
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

interface LockEntry {
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly resolved?: string;
}

export function problems(packages: Readonly<Record<string, LockEntry>>): string[] {
  const found: string[] = [];
  for (const [name, entry] of Object.entries(packages)) {
    if (entry.hasInstallScript && !entry.dev) found.push(`${name} is a runtime dependency with an install script`);
    if (entry.resolved !== undefined) found.push(`${name} names the host it was downloaded from ("resolved")`);
  }
  return found;
}

if (process.argv[1] === import.meta.filename) {
  const lock = JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../package-lock.json'), 'utf8')) as {
    packages: Record<string, LockEntry>;
  };
  const found = problems(lock.packages);
  for (const problem of found) console.error(problem);
  if (found.length > 0) process.exitCode = 1;
}
