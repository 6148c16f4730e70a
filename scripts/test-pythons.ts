/**
 * `make test-pythons`: runs the suite on each CPython of this machine that the README names as sufficient, each time in
 * a fresh clone with an empty HOME and no other Python in reach. If the caller is root, both as root and as an ordinary
 * user.
 *
 * `node --import tsx scripts/test-pythons.ts [VERSION…] [--user root|ordinary|both]`: a VERSION is `3.11` or `newest`.
 * For a caller who is not root there is only one user. Steps that don't depend on the interpreter run only once, with
 * the first one.
 *
 * Ends with a line for each run and the sum, `N passed, N failed, N skipped`. Exit status 1 if a run failed.
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { runWithOnlyPython } from './pythons/only-python.ts';
import { choose, type FoundPython, readList, readSum, sumLine, type Sum } from './pythons/runs.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

function found(): FoundPython[] {
  const python = path.join(ROOT, '.venv', 'bin', 'python');
  return readList(execFileSync(python, ['scripts/test-interpreters.py', '--list'], { encoding: 'utf8', cwd: ROOT }));
}

function users(asked: string | undefined): boolean[] {
  if (process.getuid?.() !== 0) return [false];
  const ordinary = { root: [false], ordinary: [true] };
  return ordinary[asked as keyof typeof ordinary] ?? [false, true];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { user: { type: 'string' } },
});
const pythons = choose(found(), positionals);
if (pythons.length === 0) {
  console.error('test-pythons: there is none of those asked for');
  process.exit(1);
}

const lines: string[] = [];
const sums: Sum[] = [];
let isWell = true;
let isFirst = true;
for (const { version, command } of pythons) {
  for (const ordinary of users(values.user)) {
    const who = process.getuid?.() !== 0 || ordinary ? 'an ordinary user' : 'root';
    const title = `CPython ${version}, as ${who}`;
    console.log(`\n==== ${title}: no other Python in reach\n`);
    const suite = isFirst ? [] : ['SUITE=--interpreter-only'];
    isFirst = false;
    const started = performance.now();
    const run = await runWithOnlyPython({ python: command, ordinary, command: ['make', 'test', ...suite] });
    const minutes = ((performance.now() - started) / 60_000).toFixed(1);
    const sum = readSum(run.output);
    for (const each of run.leftBehind) console.log(`left behind: ${each}`);
    const ok = run.status === 0 && run.leftBehind.length === 0 && sum !== null && sum.failed === 0;
    isWell &&= ok;
    // A run that did not finish is a failure, whatever it has counted until then.
    sums.push(
      ok ? sum : { passed: sum?.passed ?? 0, failed: Math.max(1, sum?.failed ?? 0), skipped: sum?.skipped ?? 0 },
    );
    lines.push(`${title}: ${sum === null ? 'no end' : sumLine([sum])}, ${minutes} min${ok ? '' : ': FAILED'}`);
  }
}
console.log();
for (const line of lines) console.log(line);
console.log(sumLine(sums));
process.exitCode = isWell ? 0 : 1;
