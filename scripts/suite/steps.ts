/** The steps of the suite, in order. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Outcome } from './outcome.ts';
import { readJson, readJunit } from './reports.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** What the outcome of a step depends on: only the sources, or also the interpreter of .venv. */
type DependsOn = 'sources' | 'interpreter';

export interface Step {
  readonly title: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Reads the outcome from the runner's report; null if it wrote none. */
  readonly report?: () => Outcome | null;
  readonly dependsOn: DependsOn;
  /** Whether it needs no Python. */
  readonly typescript?: boolean;
  /** Whether it takes minutes: real servers, and other interpreters. */
  readonly slow?: boolean;
}

/** All steps. The runners write their reports into the folder `scratch`. */
export function stepsOf(scratch: string): Step[] {
  return [...typescriptChecks(), unitTests(scratch), ...pythonChecks(), ...tests(scratch)];
}

function typescriptChecks(): Step[] {
  return [
    typescript('Types', [path.join(ROOT, 'node_modules', 'typescript-7', 'bin', 'tsc'), '-p', 'tsconfig.json']),
    typescript('Lint', nodeTool('oxlint', '--type-aware', '--deny-warnings')),
    typescript('Format', nodeTool('oxfmt', '--check', '.')),
    typescript('Import directions', nodeTool('depcruise', '--config', '.dependency-cruiser.mjs', 'src')),
    typescript('Dependencies', ['node', '--import', 'tsx', 'scripts/check-dependencies.ts']),
    typescript('Tables of both languages', ['node', '--import', 'tsx', 'scripts/tables.ts', '--check']),
    typescript('Page of commands', ['node', '--import', 'tsx', 'scripts/commands-page.ts', '--check']),
    typescript('Unused code', nodeTool('knip', '--no-progress')),
  ];
}

function unitTests(scratch: string): Step {
  const tests = vitest('unit', path.join(scratch, 'unit.json'));
  return { title: 'Unit tests', ...tests, dependsOn: 'sources', typescript: true };
}

function pythonChecks(): Step[] {
  const folders = pythonFolders();
  return [
    { title: 'Python lint', command: python('-m', 'ruff', 'check', ...folders), dependsOn: 'sources' },
    {
      title: 'Python format',
      command: python('-m', 'ruff', 'format', '--check', '--quiet', ...folders),
      dependsOn: 'sources',
    },
    {
      title: 'Python types',
      command: python('-m', 'mypy', '--strict', 'agent/cowherd_agent', 'agent/launch.py'),
      dependsOn: 'sources',
    },
    {
      title: 'Python import directions',
      command: [path.join(ROOT, '.venv', 'bin', 'lint-imports'), '--no-cache'],
      env: { PYTHONPATH: 'agent' },
      dependsOn: 'sources',
    },
    { title: 'Structure', command: ['node', '--import', 'tsx', 'scripts/structure.ts'], dependsOn: 'sources' },
  ];
}

function tests(scratch: string): Step[] {
  const pytestReport = path.join(scratch, 'pytest.xml');
  const interpretersReport = path.join(scratch, 'interpreters.json');
  return [
    {
      title: 'Python unit tests',
      command: python('-m', 'pytest', '--quiet', `--junitxml=${pytestReport}`, 'agent/tests', 'examples/feed/tests'),
      report: reportIn(pytestReport, readJunit),
      dependsOn: 'interpreter',
    },
    {
      title: 'Heap policies on every interpreter',
      command: python('scripts/test-interpreters.py', '--report', interpretersReport),
      report: reportIn(interpretersReport, readJson),
      dependsOn: 'interpreter',
      slow: true,
    },
    {
      title: 'Process tests',
      ...vitest('process', path.join(scratch, 'process.json')),
      dependsOn: 'interpreter',
      typescript: true,
      slow: true,
    },
    {
      title: 'Surviving',
      command: ['node', '--import', 'tsx', 'bench/survive.ts'],
      dependsOn: 'interpreter',
      typescript: true,
      slow: true,
    },
  ];
}

function typescript(title: string, command: readonly string[]): Step {
  return { title, command, dependsOn: 'sources', typescript: true };
}

function nodeTool(name: string, ...args: string[]): string[] {
  return [path.join(ROOT, 'node_modules', '.bin', name), ...args];
}

function python(...args: string[]): string[] {
  return [path.join(ROOT, '.venv', 'bin', 'python'), ...args];
}

function vitest(project: string, file: string): Pick<Step, 'command' | 'env' | 'report'> {
  return {
    command: nodeTool(
      'vitest',
      'run',
      '--project',
      project,
      '--reporter=default',
      '--reporter=./scripts/suite/vitest-reporter.ts',
    ),
    env: { COWHERD_SUITE_REPORT: file },
    report: reportIn(file, readJson),
  };
}

function reportIn(file: string, read: (text: string) => Outcome): () => Outcome | null {
  return () => (existsSync(file) ? read(readFileSync(file, 'utf8')) : null);
}

/** The folders that have Python sources; tools fail on a folder without any. */
function pythonFolders(): string[] {
  return ['agent', 'examples', 'scripts', 'bench', 'compatibility', 'test', 'packaging'].filter((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true }).some((name) => String(name).endsWith('.py')),
  );
}
