/**
 * Writes docs/commands.md from the definitions of the commands. `--check` writes nothing, and exits with 1 if the page
 * is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { commandsFor } from '../src/cli/commands.ts';
import { allCommands } from '../src/cli/completion/completion.ts';
import { SERVE_HELP } from '../src/cli/serve/serve-help.ts';
import { commandsPage } from './commands-page/page.ts';

const PAGE = path.resolve(import.meta.dirname, '..', 'docs', 'commands.md');
const text = commandsPage(allCommands(commandsFor(async () => {})), SERVE_HELP);

if (!process.argv.includes('--check')) writeFileSync(PAGE, text);
else if (readFileSync(PAGE, 'utf8') !== text) {
  console.error('docs/commands.md is out of date: run node --import tsx scripts/commands-page.ts');
  process.exitCode = 1;
}
