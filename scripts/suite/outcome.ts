/** The outcome of a step of the suite: how many tests passed and failed, and which did not run. */

export interface Skip {
  /** Its file and its title: "test/heal.test.ts > heal > …". */
  readonly test: string;
  /** What the machine or the interpreter lacks; null if the test gives no reason. */
  readonly reason: string | null;
}

export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skips: readonly Skip[];
}

/**
 * The part of a step in the sum.
 *
 * A check that counts no tests counts as one. A step that failed without a failed test is one failure. So is each test
 * that was skipped without a reason: otherwise tests could be left out unnoticed.
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

/** Lines that list what did not run, by reason; the reason with the most tests first. */
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

/** The last line of the suite. */
export function lastLine({ passed, failed, skips }: Outcome): string {
  return `${passed} passed, ${failed} failed${skips.length > 0 ? `, ${skips.length} skipped` : ''}`;
}
