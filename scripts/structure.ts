/**
 * Measures the structure of the code: `make structure`. Prints what exceeds a limit, then one JSON object.
 *
 * Sources are `src/`, `agent/cowherd_agent/`, `bench/`, `compatibility/` and `scripts/`, without their tests. Circular
 * imports of `src/` are found by dependency-cruiser (`.dependency-cruiser.mjs`), those of the agent by import-linter's
 * graph (`structure/python_circles.py`). Exit status 1 if a limit is exceeded.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { foldersWithoutReadme, isSource, lineCount, type SourceFunction } from './structure/sources.ts';
import { functionsOf } from './structure/typescript-functions.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const PYTHON = path.join(ROOT, '.venv', 'bin', 'python');
const MOST_LINES_OF_FILE = 400;
const MOST_LINES_OF_FUNCTION = 60;

function output(command: string, ...args: string[]): string {
  const { stdout, error } = spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (error !== undefined) throw error;
  return stdout;
}

/** One line for each circle, of files or of folders. */
function importCircles(): string[] {
  const cruiser = path.join(ROOT, 'node_modules', '.bin', 'depcruise');
  const { summary } = JSON.parse(
    output(cruiser, '--config', '.dependency-cruiser.mjs', '--output-type', 'json', 'src'),
  ) as { summary: { violations: { from: string; to: string; rule: { name: string } }[] } };
  const typescript = summary.violations
    .filter(({ rule }) => rule.name.startsWith('no-circle'))
    .map(({ from, to }) => `${from} and ${to} import each other`);
  const python = JSON.parse(output(PYTHON, 'scripts/structure/python_circles.py')) as string[];
  return [...typescript, ...python];
}

function main(): number {
  const files = output('git', 'ls-files').split('\n').filter(isSource);
  const texts = new Map(files.map((file) => [file, readFileSync(path.join(ROOT, file), 'utf8')]));
  const python = files.filter((file) => file.endsWith('.py'));
  const functions: SourceFunction[] = [
    ...[...texts].filter(([file]) => file.endsWith('.ts')).flatMap(([file, text]) => functionsOf(file, text)),
    ...(JSON.parse(output(PYTHON, 'scripts/structure/python_functions.py', ...python)) as SourceFunction[]),
  ];
  const longFiles = [...texts].filter(([, text]) => lineCount(text) > MOST_LINES_OF_FILE);
  const longFunctions = functions.filter(({ lines }) => lines > MOST_LINES_OF_FUNCTION);
  const circles = importCircles();
  const bare = foldersWithoutReadme(output('git', 'ls-files', 'src', 'agent/cowherd_agent').split('\n'));
  const linesIn = (folder: string): number =>
    [...texts].filter(([file]) => file.startsWith(folder)).reduce((sum, [, text]) => sum + lineCount(text), 0);

  for (const [file, text] of longFiles) console.log(`${file} has ${lineCount(text)} lines`);
  for (const { file, name, lines } of longFunctions) console.log(`${file}: ${name} has ${lines} lines`);
  for (const circle of circles) console.log(circle);
  for (const folder of bare) console.log(`${folder} has no README.md`);
  const figures = {
    files_over_400: longFiles.length,
    functions_over_60: longFunctions.length,
    import_circles: circles.length,
    agent_lines: linesIn('agent/cowherd_agent/'),
    typescript_lines: linesIn('src/'),
    folders_without_readme: bare.length,
  };
  console.log(JSON.stringify(figures));
  return longFiles.length + longFunctions.length + circles.length + bare.length > 0 ? 1 : 0;
}

process.exitCode = main();
