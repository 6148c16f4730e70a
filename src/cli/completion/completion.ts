/** `cowherd completion`: prints a completion script. */
import type { Command } from 'commander';
import { SERVE_OPTIONS } from '../serve/serve-options.ts';
import { bashCompletion } from './bash.ts';
import { type CommandModel, modelsOf, optionModel } from '../shared/command-model.ts';
import { fishCompletion } from './fish.ts';
import type { Shell } from './shells.ts';
import { zshCompletion } from './zsh.ts';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** Cowherd's own options of serve, which gunicorn's parser does not see (serve-arguments.ts). */
const OWN_OPTIONS: typeof SERVE_OPTIONS = [
  ['--python <PATH>', 'the interpreter'],
  ['--runtime-dir <DIR>', 'folder of the control socket and herd.json'],
  ['--log-format <FORMAT>', 'text or json'],
];

export function runCompletion(shell: Shell, program: Command): number {
  process.stdout.write(SCRIPTS[shell](allCommands(program)));
  return 0;
}

/** Every command, with all that serve takes. */
export function allCommands(program: Command): CommandModel[] {
  return modelsOf(program).map((command) => (command.name === 'serve' ? withServeOptions(command) : command));
}

function withServeOptions(serve: CommandModel): CommandModel {
  const options = [...OWN_OPTIONS, ...SERVE_OPTIONS].map(([flags, description]) => optionModel(flags, description));
  return { ...serve, args: ['<app_module>'], options: [...options, ...serve.options], after: '' };
}
