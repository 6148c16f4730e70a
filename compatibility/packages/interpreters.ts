/** The interpreters that packages are tried on: one for each minor version. */
import { execFileSync } from 'node:child_process';
import { findPythons } from '../../bench/why/interpreters.ts';

export const MINORS = ['3.11', '3.13', '3.14'] as const;

export interface Interpreter {
  /** Such as "3.13". */
  readonly minor: string;
  /** Such as "3.13.0". */
  readonly version: string;
  readonly path: string;
}

/** The newest interpreter of each minor version. COWHERD_PYTHON_3_14 and the like name one in another place. */
export function findInterpreters(): Interpreter[] {
  const found = findPythons('3.11');
  return MINORS.flatMap((minor) => {
    const named = process.env[`COWHERD_PYTHON_${minor.replace('.', '_')}`];
    if (named !== undefined) return [{ minor, version: versionOf(named), path: named }];
    const newest = found.findLast(({ version }) => version.startsWith(`${minor}.`) && !version.endsWith('t'));
    return newest === undefined ? [] : [{ minor, version: newest.version, path: newest.command }];
  });
}

function versionOf(python: string): string {
  return execFileSync(python, ['-c', 'import platform; print(platform.python_version())'], { encoding: 'utf8' }).trim();
}
