/**
 * Writes the TypeScript form of the tables that both languages share: Cowherd's own settings and the ladder of heap
 * policies, both JSON in `agent/cowherd_agent/`. `--check` writes nothing, and exits with 1 if a file is out of date.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { helpSource, readTable, schemaSource } from './tables/own-settings.ts';
import { policiesSource } from './tables/policies.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const table = (name: string): string => readFileSync(path.join(ROOT, 'agent/cowherd_agent', name), 'utf8');

/** Formats a source with oxfmt, so that the check of formats accepts it. */
function formatted(source: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'cowherd-tables-'));
  const file = path.join(folder, 'made.ts');
  try {
    writeFileSync(file, source);
    const oxfmt = path.join(ROOT, 'node_modules/.bin/oxfmt');
    execFileSync(oxfmt, ['--config', path.join(ROOT, '.oxfmtrc.json'), file], { stdio: 'ignore' });
    return readFileSync(file, 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const settings = readTable(table('own_settings.json'));
const made = new Map([
  ['src/agent/own-settings.ts', schemaSource(settings)],
  ['src/cli/serve/own-settings-help.ts', helpSource(settings)],
  ['src/cpython/policy-ladder.ts', policiesSource(table('policies.json'))],
]);

for (const [file, source] of made) {
  const place = path.join(ROOT, file);
  const text = formatted(source);
  if (!process.argv.includes('--check')) writeFileSync(place, text);
  else if (readFileSync(place, 'utf8') !== text) {
    console.error(`${file} is out of date: run node --import tsx scripts/tables.ts`);
    process.exitCode = 1;
  }
}
