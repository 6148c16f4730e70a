/** What came of a step of the suite: how many tests, and which of them did not run. */

export interface Skip {
  /** Where it stands and what it is called: "test/heal.test.ts > heal > …". */
  readonly test: string;
  /** What the machine or the interpreter lacks; null where nobody says. */
  readonly reason: string | null;
}

export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skips: readonly Skip[];
}

/**
 * What a step adds to the sum.
 *
 * A check that counts no tests is one. A step that failed with no failed test to show for it is one more failure, and so
 * is a test that was skipped and does not say why: else anything could be left out unseen.
 */
export function outcomeOf(report: Outcome | null, ok: boolean): Outcome {
  if (report === null) return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skips: [] };
  const failed = report.failed + report.skips.filter(({ reason }) => reason === null).length;
  return { ...report, failed: ok ? failed : Math.max(failed, 1), skips: report.skips };
}

export function sumOf(outcomes: readonly Outcome[]): Outcome {
  return {
    passed: outcomes.reduce((sum, { passed }) => sum + passed, 0),
    failed: outcomes.reduce((sum, { failed }) => sum + failed, 0),
    skips: outcomes.flatMap(({ skips }) => skips),
  };
}

/** Lines that say what did not run, by reason; the reason with the most tests first. */
export function notRun(skips: readonly Skip[]): string[] {
  const byReason = new Map<string, string[]>();
  for (const { test, reason } of skips) {
    const key = reason ?? 'NO REASON IS GIVEN, which counts as a failure';
    byReason.set(key, [...(byReason.get(key) ?? []), test]);
  }
  return [...byReason]
    .sort(([, left], [, right]) => right.length - left.length)
    .flatMap(([reason, tests]) => [`  ${reason}:`].concat(tests.map((test) => `    ${test}`)));
}

/** The line that the suite ends with. */
export function lastLine({ passed, failed, skips }: Outcome): string {
  return `${passed} passed, ${failed} failed${skips.length > 0 ? `, ${skips.length} skipped` : ''}`;
}
