/**
 * Every check and test of the repository, in one run: `make test`.
 *
 * Each step has a title line; its output follows. The run goes on after a step that failed, so that one run shows all
 * failures, and ends with a line per failed step and `N passed, N failed`: tests counted by their runners, and one for
 * each other check. Exit status 1 if anything failed.
 *
 * `--typescript-only` leaves out the Python checks: what `make test-nodes` runs on each Node. `--quick` leaves out what
 * takes minutes, the real servers and the other interpreters: `make check`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Step {
  readonly title: string;
  readonly command: readonly string[];
  /** The step needs this path; where it does not exist there is nothing to check, and the step is left out. */
  readonly needs?: string;
  /** The tests run, out of the reports a runner wrote into the scratch folder; null if it wrote none. */
  readonly count?: () => Count | null;
  readonly python?: boolean;
  readonly slow?: boolean;
}

const root = path.resolve(import.meta.dirname, '..');
const scratch = mkdtempSync(path.join(tmpdir(), 'cowherd-suite-'));
const inScratch = (name: string): string => path.join(scratch, name);

function nodeTool(name: string, ...args: string[]): string[] {
  return [path.join(root, 'node_modules', '.bin', name), ...args];
}

function python(...args: string[]): string[] {
  return [path.join(root, '.venv', 'bin', 'python'), ...args];
}

/** Read what `vitest --reporter=json` wrote. */
function vitestCount(file: string): () => Count | null {
  return () => {
    if (!existsSync(file)) return null;
    const report = JSON.parse(readFileSync(file, 'utf8')) as {
      numPassedTests: number;
      numFailedTests: number;
      numPendingTests: number;
    };
    return { passed: report.numPassedTests, failed: report.numFailedTests, skipped: report.numPendingTests };
  };
}

/** Read the attributes of the root suite in a JUnit XML report, as pytest writes it. */
function junitCount(file: string): () => Count | null {
  return () => {
    if (!existsSync(file)) return null;
    const head = /<testsuite [^>]*>/.exec(readFileSync(file, 'utf8'))?.[0] ?? '';
    const number = (name: string): number => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(head)?.[1] ?? 0);
    const failed = number('failures') + number('errors');
    const skipped = number('skipped');
    return { passed: number('tests') - failed - skipped, failed, skipped };
  };
}

function vitest(project: string): Pick<Step, 'command' | 'count'> {
  const report = inScratch(`${project}.json`);
  return {
    command: nodeTool(
      'vitest',
      'run',
      '--project',
      project,
      '--passWithNoTests',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ),
    count: vitestCount(report),
  };
}

/** The folders that hold Python sources; tools given a folder without any would fail. */
function pythonFolders(): string[] {
  return ['agent', 'examples', 'scripts', 'bench', 'compatibility', 'test'].filter((folder) =>
    readdirSync(path.join(root, folder), { recursive: true }).some((name) => String(name).endsWith('.py')),
  );
}

const pytestReport = inScratch('pytest.xml');
const steps: readonly Step[] = [
  { title: 'Types', command: nodeTool('tsc', '-p', 'tsconfig.json') },
  { title: 'Lint', command: nodeTool('oxlint', '--type-aware', '--deny-warnings') },
  { title: 'Format', command: nodeTool('oxfmt', '--check', '.') },
  { title: 'Import directions', command: ['node', '--import', 'tsx', 'scripts/check-imports.ts'] },
  { title: 'Dependencies', command: ['node', '--import', 'tsx', 'scripts/check-dependencies.ts'] },
  { title: 'Unused code', command: nodeTool('knip', '--no-progress') },
  { title: 'Unit tests', ...vitest('unit') },
  { title: 'Python lint', command: python('-m', 'ruff', 'check', ...pythonFolders()), python: true },
  {
    title: 'Python format',
    command: python('-m', 'ruff', 'format', '--check', '--quiet', ...pythonFolders()),
    python: true,
  },
  {
    title: 'Python types',
    command: python('-m', 'mypy', '--strict', 'agent/cowherd_agent', 'agent/launch.py'),
    python: true,
  },
  {
    title: 'Python unit tests',
    command: python('-m', 'pytest', '--quiet', `--junitxml=${pytestReport}`, 'agent/tests', 'examples/feed/tests'),
    count: junitCount(pytestReport),
    needs: 'agent/tests',
    python: true,
  },
  {
    title: 'Heap policies on every interpreter',
    command: python('scripts/test-interpreters.py'),
    needs: 'scripts/test-interpreters.py',
    python: true,
    slow: true,
  },
  { title: 'Process tests', ...vitest('process'), slow: true },
  {
    title: 'Surviving',
    command: ['node', '--import', 'tsx', 'bench/survive.ts'],
    slow: true,
  },
];

/** What a step adds to the sum: its tests, and one more failure where it failed with no failed test to show for it. */
function total(count: Count | null, ok: boolean): Count {
  if (count === null) return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
  return ok || count.failed > 0 ? count : { ...count, failed: 1 };
}

function main(): number {
  const typescriptOnly = process.argv.includes('--typescript-only');
  const quick = process.argv.includes('--quick');
  const sum = { passed: 0, failed: 0, skipped: 0 };
  const failedSteps: string[] = [];
  for (const step of steps) {
    if ((typescriptOnly && step.python) || (quick && step.slow)) continue;
    if (step.needs !== undefined && !existsSync(path.join(root, step.needs))) continue;
    console.log(`== ${step.title}`);
    const started = performance.now();
    const [command = '', ...args] = step.command;
    const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
    if (error) console.error(`${command}: ${error.message}`);
    const ok = status === 0;
    const count = total(step.count?.() ?? null, ok);
    sum.passed += count.passed;
    sum.failed += count.failed;
    sum.skipped += count.skipped;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(ok ? `   ok, ${seconds} s\n` : `   FAILED, ${seconds} s\n`);
    if (!ok) failedSteps.push(step.title);
  }
  rmSync(scratch, { recursive: true, force: true });
  for (const title of failedSteps) console.log(`FAILED: ${title}`);
  const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : '';
  console.log(`${sum.passed} passed, ${sum.failed} failed${skipped} (Node ${process.versions.node})`);
  return failedSteps.length === 0 ? 0 : 1;
}

process.exitCode = main();
