/** The command `demo`, with its options. */
import type { Command } from 'commander';
import { positiveNumber, wholeNumber, type Run } from '../shared/arguments.ts';
import type { DemoOptions } from './demo.ts';

export function addDemo(program: Command, run: Run): void {
  program
    .command('demo')
    .description('serve the bundled Django application under load, and show what its workers share')
    .option('--python <path>', 'the interpreter; else .venv of the checkout, else the newest found')
    .option('--workers <count>', 'workers of each of the two herds', wholeNumber)
    .option('--seconds <seconds>', 'how long the load lasts', positiveNumber)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExamples:\n  cowherd demo\n  cowherd demo --workers 8 --seconds 60')
    .action(async (options: DemoOptions) => {
      await run(async () => await (await import('./demo.ts')).runDemo(options));
    });
}
