/** The CPythons of this machine, one per version, as scripts/test-interpreters.py finds them. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { CHECKOUT, PYTHON } from '../lib/places.ts';

export interface FoundPython {
  readonly version: string;
  readonly command: string;
}

export function findPythons(oldest: string): FoundPython[] {
  const script = path.join(CHECKOUT, 'scripts', 'test-interpreters.py');
  const text = execFileSync(PYTHON, [script, '--list', '--oldest', oldest], { encoding: 'utf8' });
  return [...text.matchAll(/^CPython (\S+)\s+(\S+)$/gm)].map(([, version = '', command = '']) => ({
    version,
    command,
  }));
}
