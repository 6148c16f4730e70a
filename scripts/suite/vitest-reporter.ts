/**
 * A reporter of vitest that writes the suite's `Outcome` into the file that COWHERD_SUITE_REPORT names. Unlike vitest's
 * own reports, it says why a test was skipped.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import type { Outcome, Skip } from './outcome.ts';

export default class SuiteReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const file = process.env['COWHERD_SUITE_REPORT'];
    if (file === undefined) return;
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string): number => tests.filter((test) => test.result().state === state).length;
    // Files that fail before their first test, and errors outside of all tests.
    const broken = modules.filter((module) => module.errors().length > 0).length + errors.length;
    const outcome: Outcome = {
      passed: count('passed'),
      failed: count('failed') + count('pending') + broken,
      skips: tests.filter((test) => test.result().state === 'skipped').map(skipOf),
    };
    writeFileSync(file, JSON.stringify(outcome));
  }
}

function skipOf(test: TestCase): Skip {
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  const place = path.relative(process.cwd(), test.module.moduleId);
  return { test: `${place} > ${test.fullName}`, reason: note ?? test.meta().missing ?? null };
}
