/** The command `heal`, with its options. */
import type { Command } from 'commander';
import { RUNTIME_DIR, positiveNumber, wholeNumber, type Run } from '../shared/arguments.ts';
import type { HealOptions } from './heal.ts';

export function addHeal(program: Command, run: Run): void {
  program
    .command('heal')
    .description('have the kernel merge memory that workers have copied though it is still the same (KSM; root)')
    .argument('[pid]', 'a process of a prefork server; else the running herd', wholeNumber)
    .option(...RUNTIME_DIR)
    .option('--yes', 'do not ask before settings of the host are changed')
    .option('--keep', 'leave KSM on afterwards')
    .option('--seconds <seconds>', 'how long it may take (300)', positiveNumber)
    .option('--json', 'print it as JSON (docs/heal.md)')
    .addHelpText('after', '\nExamples:\n  sudo cowherd heal\n  sudo cowherd heal $(pgrep -o gunicorn) --yes --json')
    .action(async (pid: number | undefined, options: HealOptions) => {
      await run(async () => await (await import('./heal.ts')).runHeal(pid, options));
    });
}
