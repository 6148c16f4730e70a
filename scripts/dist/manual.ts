/** Writes the manual pages and the completions, as they are installed. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { catalogue } from '../../src/base/error-catalogue.ts';
import { commandsFor } from '../../src/cli/commands.ts';
import { bashCompletion } from '../../src/cli/completion/bash.ts';
import { allCommands } from '../../src/cli/completion/completion.ts';
import { fishCompletion } from '../../src/cli/completion/fish.ts';
import { zshCompletion } from '../../src/cli/completion/zsh.ts';
import { manualPages } from '../../src/cli/manual/manual-pages.ts';
import { SERVE_HELP } from '../../src/cli/serve/serve-help.ts';

/** Puts them below `share`, where each shell and man(1) look for them. */
export function writeManual(share: string, version: string): void {
  const commands = allCommands(commandsFor(async () => {}));
  const files = {
    'bash-completion/completions/cowherd': bashCompletion(commands),
    'zsh/site-functions/_cowherd': zshCompletion(commands),
    'fish/vendor_completions.d/cowherd.fish': fishCompletion(commands),
  };
  for (const [name, text] of Object.entries(files)) put(path.join(share, name), text);
  const errors = Object.entries(catalogue);
  for (const { file, text } of manualPages({ version, commands, errors, serveHelp: SERVE_HELP })) {
    put(path.join(share, 'man', 'man1', file), text);
  }
}

function put(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}
