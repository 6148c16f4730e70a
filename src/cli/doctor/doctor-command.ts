/** The command `doctor`, with its options. */
import type { Command } from 'commander';
import type { Run } from '../shared/arguments.ts';
import type { DoctorOptions } from './doctor.ts';

export function addDoctor(program: Command, run: Run): void {
  program
    .command('doctor')
    .description('what this machine and this project can do: interpreters, gunicorn, kernel')
    .option('--python <path>', 'the interpreter to serve with')
    .option('--chdir <folder>', 'where the project is')
    .option('--json', 'print it as JSON (docs/doctor.md)')
    .addHelpText('after', '\nExamples:\n  cowherd doctor\n  cowherd doctor --chdir /srv/shop --json')
    .action(async (options: DoctorOptions) => {
      await run(async () => await (await import('./doctor.ts')).runDoctor(options));
    });
}
