/**
 * Every check and test of the repository, in one run: `make test`.
 *
 * Each step prints a title line and its output. The run continues after a step that failed, so that one run shows all
 * failures. It ends with a list of what did not run and why, a line for each failed step, and
 * `N passed, N failed, N skipped`: tests as their runners count them, and one for each other check. Exit status 1 if
 * anything failed.
 *
 * `--typescript-only`, used by `make test-nodes` on each Node, leaves out the Python checks. `--quick`, used by
 * `make check`, leaves out the real servers and the other interpreters, which take minutes. `--interpreter-only`, for a
 * second run with another interpreter, leaves out steps that don't depend on the interpreter.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { lastLine, notRun, type Outcome, outcomeOf, sumOf } from './suite/outcome.ts';
import { type Step, stepsOf } from './suite/steps.ts';

const root = path.resolve(import.meta.dirname, '..');

/** The option that leaves a step out; null if the step has to run. */
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
