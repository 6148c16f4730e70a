/**
 * Writes the files that one language has from a source in the other: the TypeScript of Cowherd's own settings and of
 * the ladder of heap policies, both JSON in `agent/cowherd_agent/`, the Python of `src/agent/messages.ts`, and the table
 * of docs/metrics.md.
 * `--check` writes nothing, and exits with 1 if a file is out of date.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { helpSource, readTable, schemaSource } from './tables/own-settings.ts';
import { withMetrics } from './tables/metrics-page.ts';
import { policiesSource } from './tables/policies.ts';
import { shapesSource, typesSources } from './tables/python-messages.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const table = (name: string): string => readFileSync(path.join(ROOT, 'agent/cowherd_agent', name), 'utf8');

/** Formats a source with oxfmt, so that the check of formats accepts it. */
function formatted(file: string, source: string): string {
  // The generator writes Python as ruff does.
  if (/\.(?:py|md)$/.test(file)) return source;
  const folder = mkdtempSync(path.join(tmpdir(), 'cowherd-tables-'));
  const made = path.join(folder, path.basename(file));
  try {
    writeFileSync(made, source);
    const oxfmt = path.join(ROOT, 'node_modules/.bin/oxfmt');
    execFileSync(oxfmt, ['--config', path.join(ROOT, '.oxfmtrc.json'), made], { stdio: 'ignore' });
    return readFileSync(made, 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const settings = readTable(table('own_settings.json'));
const made = new Map([
  ['src/agent/own-settings.ts', schemaSource(settings)],
  ['src/cli/serve/own-settings-help.ts', helpSource(settings)],
  ['src/cpython/policy-ladder.ts', policiesSource(table('policies.json'))],
  ...Object.entries(typesSources()).map(([name, source]): [string, string] => [
    `agent/cowherd_agent/wire/${name}.py`,
    source,
  ]),
  ['agent/cowherd_agent/wire/shapes.json', shapesSource()],
  ['docs/metrics.md', withMetrics(readFileSync(path.join(ROOT, 'docs/metrics.md'), 'utf8'))],
]);

for (const [file, source] of made) {
  const place = path.join(ROOT, file);
  const text = formatted(file, source);
  if (!process.argv.includes('--check')) writeFileSync(place, text);
  else if (readFileSync(place, 'utf8') !== text) {
    console.error(`${file} is out of date: run node --import tsx scripts/tables.ts`);
    process.exitCode = 1;
  }
}
