/** Programs whose writes are known (`../apps/ground_truth.py`), and how well the answers match them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { decodeSnapshot } from '../../src/forensics/answer/snapshot.ts';
import { APPS } from '../lib/places.ts';
import { type Asked, askWhy } from './command.ts';
import type { FoundPython } from './interpreters.ts';

export type Deed = 'read' | 'collect' | 'allocate' | 'assign' | 'mix' | 'owners' | 'tables';

/** From a page's address to the causes that are right for it. */
export type Truth = ReadonlyMap<number, readonly string[]>;

const GROUND_TRUTH = path.join(APPS, 'ground_truth.py');

export class KnownProgram {
  readonly folder: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.folder = folder;
    process.once('exit', this.#kill);
  }

  readonly #kill = (): void => void this.#child.kill('SIGKILL');

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Starts the program, and returns when every worker has done its deed. */
  static async start(python: FoundPython, deed: Deed, mib: number, workers: number, scratch: string) {
    const folder = path.join(scratch, `${deed}-${python.version}-${workers}`);
    mkdirSync(folder, { recursive: true });
    const child = spawn(python.command, [GROUND_TRUTH, deed, String(mib), String(workers), folder], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONHASHSEED: '0' },
    });
    const program = new KnownProgram(child, folder);
    const [first] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown];
    if (String(first).trim() !== 'ready')
      throw new Error(`${deed} on CPython ${python.version} ended: ${String(first)}`);
    return program;
  }

  truth(): Truth {
    const file = readdirSync(this.folder).find((name) => name.endsWith('.truth')) ?? '';
    const lines = readFileSync(path.join(this.folder, file), 'utf8').trim().split('\n');
    return new Map(
      lines.map((line) => {
        const [page = '', causes = ''] = line.split(' ');
        return [Number.parseInt(page, 16), causes.split(',')];
      }),
    );
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await ended;
    process.removeListener('exit', this.#kill);
  }
}

export interface Judged {
  readonly asked: Asked;
  readonly unsharedPages: number;
  /** The part of the unshared pages with the right cause. A page that the program did not write to is never right. */
  readonly accuracy: number;
  readonly unknownPercent: number;
  /** The largest difference between a cause's share and its true one, in points. */
  readonly shareErrorPoints: number;
  /** Numbers of pages by mistake, such as `refcount as payload`. */
  readonly mistakes: Readonly<Record<string, number>>;
}

export function judge(program: KnownProgram): Judged {
  const saved = path.join(program.folder, 'snapshot.json');
  const asked = askWhy([String(program.pid), '--save', saved, '--force']);
  const snapshot = decodeSnapshot(readFileSync(saved, 'utf8'), saved);
  const truth = program.truth();
  const mistakes: Record<string, number> = {};
  const found: Record<string, number> = {};
  const expected: Record<string, number> = {};
  let pages = 0;
  let right = 0;
  for (const { start, codes } of snapshot.workers[0]?.regions ?? []) {
    for (const [page, code] of codes.entries()) {
      const cause = snapshot.codeNames[code] ?? '';
      if (['absent', 'shared', 'fresh', 'released'].includes(cause)) continue;
      const allowed = truth.get(start + page * snapshot.pageBytes) ?? ['(not written by the program)'];
      pages += 1;
      const isRight = allowed.includes(cause);
      // If several causes are right, the found one counts if it is among them, else the first.
      const meant = isRight ? cause : (allowed[0] ?? '');
      found[cause] = (found[cause] ?? 0) + 1;
      expected[meant] = (expected[meant] ?? 0) + 1;
      if (isRight) right += 1;
      else mistakes[`${meant} as ${cause}`] = (mistakes[`${meant} as ${cause}`] ?? 0) + 1;
    }
  }
  const names = new Set([...Object.keys(found), ...Object.keys(expected)]);
  names.delete('(not written by the program)');
  const errors = [...names].map((name) => (100 * Math.abs((found[name] ?? 0) - (expected[name] ?? 0))) / pages);
  return {
    asked,
    unsharedPages: pages,
    accuracy: right / pages,
    unknownPercent: (100 * (found['unknown'] ?? 0)) / pages,
    shareErrorPoints: Math.max(...errors),
    mistakes,
  };
}
