/** The command `doctor`, with its options. */
import type { Command } from 'commander';
import type { Run } from '../shared/arguments.ts';
import type { DoctorOptions } from './doctor.ts';

export function addDoctor(program: Command, run: Run): void {
  program
    .command('doctor')
    .description('show what this machine and this project support: interpreters, gunicorn, kernel')
    .option('--python <path>', 'the interpreter to serve with')
    .option('--chdir <folder>', 'the project folder')
    .option('--json', 'print it as JSON (docs/doctor.md)')
    .addHelpText('after', '\nExamples:\n  cowherd doctor\n  cowherd doctor --chdir /srv/shop --json')
    .action(async (options: DoctorOptions) => {
      await run(async () => await (await import('./doctor.ts')).runDoctor(options));
    });
}
