/**
 * Writes what TypeScript has of Cowherd's own settings, out of the table `agent/cowherd_agent/own_settings.json`: their
 * schema and their lines of the help. `--check` writes nothing, and exits with 1 if a file is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { helpSource, readTable, schemaSource } from './own-settings/source.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const rows = readTable(readFileSync(path.join(ROOT, 'agent/cowherd_agent/own_settings.json'), 'utf8'));
const made = new Map([
  ['src/agent/own-settings.ts', schemaSource(rows)],
  ['src/cli/own-settings-help.ts', helpSource(rows)],
]);

for (const [file, text] of made) {
  const place = path.join(ROOT, file);
  if (!process.argv.includes('--check')) writeFileSync(place, text);
  else if (readFileSync(place, 'utf8') !== text) {
    console.error(`${file} is out of date: run node --import tsx scripts/own-settings.ts`);
    process.exitCode = 1;
  }
}
