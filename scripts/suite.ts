/**
 * Every check and test of the repository, in one run: `make test`.
 *
 * Each step has a title line; its output follows. The run goes on after a step that failed, so that one run shows all
 * failures. At its end stands what did not run, and why; then a line for each failed step; then
 * `N passed, N failed, N skipped`: tests as their runners count them, and one for each other check. Exit status 1 if
 * anything failed.
 *
 * `--typescript-only` leaves out the Python checks: what `make test-nodes` runs on each Node. `--quick` leaves out what
 * takes minutes, the real servers and the other interpreters: `make check`. `--interpreter-only` leaves out what comes out
 * alike on every interpreter: for a second run with another one.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { lastLine, notRun, type Outcome, outcomeOf, sumOf } from './suite/outcome.ts';
import { type Step, stepsOf } from './suite/steps.ts';

const root = path.resolve(import.meta.dirname, '..');

/** For which option a step is left out; null if it is to run. */
function leftOutBy(step: Step): string | null {
  const reasons: [option: string, leavesOut: boolean][] = [
    ['--typescript-only', step.typescript !== true],
    ['--quick', step.slow === true],
    ['--interpreter-only', step.dependsOn === 'sources'],
  ];
  return reasons.find(([option, leavesOut]) => leavesOut && process.argv.includes(option))?.[0] ?? null;
}

function run(step: Step): { outcome: Outcome; ok: boolean } {
  console.log(`== ${step.title}`);
  const started = performance.now();
  const [command = '', ...args] = step.command;
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...step.env },
  });
  if (error) console.error(`${command}: ${error.message}`);
  const outcome = outcomeOf(step.report?.() ?? null, status === 0);
  const ok = status === 0 && outcome.failed === 0;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`   ${ok ? 'ok' : 'FAILED'}, ${seconds} s\n`);
  return { outcome, ok };
}

function main(): number {
  const scratch = mkdtempSync(path.join(tmpdir(), 'cowherd-suite-'));
  const outcomes: Outcome[] = [];
  const failed: string[] = [];
  const leftOut = new Map<string, string[]>();
  for (const step of stepsOf(scratch)) {
    const option = leftOutBy(step);
    if (option !== null) {
      leftOut.set(option, [...(leftOut.get(option) ?? []), step.title]);
      continue;
    }
    const { outcome, ok } = run(step);
    outcomes.push(outcome);
    if (!ok) failed.push(step.title);
  }
  rmSync(scratch, { recursive: true, force: true });

  const sum = sumOf(outcomes);
  if (leftOut.size + sum.skips.length > 0) console.log('Not run:');
  for (const [option, titles] of leftOut) console.log(`  ${titles.join(', ')}: left out by ${option}`);
  for (const line of notRun(sum.skips)) console.log(line);
  for (const title of failed) console.log(`FAILED: ${title}`);
  console.log(lastLine(sum));
  return failed.length === 0 ? 0 : 1;
}

process.exitCode = main();
