/** The command `settings`, with its options. */
import type { Command } from 'commander';
import type { Run } from './shared/arguments.ts';
import type { SettingsOptions } from './settings.ts';

export function addSettings(program: Command, run: Run): void {
  program
    .command('settings')
    .description("every setting that serve takes: Cowherd's and those of this gunicorn")
    .argument('[word]', 'only those with this in their name')
    .option('--python <path>', 'the interpreter, as of serve')
    .option('--chdir <folder>', 'where the project is')
    .option('--json', 'print them as JSON (docs/settings.md)')
    .addHelpText('after', '\nExamples:\n  cowherd settings\n  cowherd settings timeout')
    .action(async (word: string | undefined, options: SettingsOptions) => {
      await run(async () => await (await import('./settings.ts')).runSettings(word, options));
    });
}
