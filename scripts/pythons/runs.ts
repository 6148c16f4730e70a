/** Chooses the interpreters that the suite runs on, and reads the last lines of the runs. */

export interface FoundPython {
  readonly version: string;
  readonly command: string;
}

export interface Sum {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The newest version that the suite's packages have wheels for; the same as in scripts/find-python. */
const NEWEST_MINOR = 14;

/** Reads the lines of `test-interpreters.py --list`, oldest first. */
export function readList(text: string): FoundPython[] {
  return [...text.matchAll(/^CPython (\S+)\s+(\S+)$/gm)].map(([, version = '', command = '']) => ({
    version,
    command,
  }));
}

/**
 * The requested interpreters, such as "3.11" or "newest", in the order of the requests; all if nothing is requested.
 */
export function choose(found: readonly FoundPython[], asked: readonly string[]): FoundPython[] {
  const able = found.filter(({ version }) => Number(version.split('.')[1]) <= NEWEST_MINOR && !version.endsWith('t'));
  if (asked.length === 0) return able;
  const chosen = asked.flatMap((each) => {
    const fit = able.filter(({ version }) => each === 'newest' || version === each || version.startsWith(`${each}.`));
    return fit.slice(-1);
  });
  return [...new Set(chosen)];
}

/** Reads the last line of a suite's output that counts tests; null if it has none. */
export function readSum(output: string): Sum | null {
  const last = [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1);
  if (last === undefined) return null;
  const [passed = 0, failed = 0, skipped = 0] = last.slice(1).map((text: string | undefined) => Number(text ?? 0));
  return { passed, failed, skipped };
}

export function sumLine(sums: readonly Sum[]): string {
  const total = (part: keyof Sum): number => sums.reduce((sum, each) => sum + each[part], 0);
  const skipped = total('skipped');
  return `${total('passed')} passed, ${total('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
