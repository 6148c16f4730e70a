/** The command `completion`. */
import { Argument, type Command } from 'commander';
import type { Run } from '../shared/arguments.ts';
import { type Shell, SHELLS } from './shells.ts';

export function addCompletion(program: Command, run: Run): void {
  program
    .command('completion')
    .description('print the completions of commands and options for a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText(
      'after',
      '\nExamples:\n  eval "$(cowherd completion bash)"\n  cowherd completion zsh > ~/.zsh/completions/_cowherd\n  cowherd completion fish > ~/.config/fish/completions/cowherd.fish',
    )
    .action(async (shell: Shell) => {
      await run(async () => (await import('./completion.ts')).runCompletion(shell, program));
    });
}
