/** The command `why`, with its options. */
import type { Command } from 'commander';
import { RUNTIME_DIR, wholeNumber, type Run } from '../shared/arguments.ts';
import type { WhyOptions } from './why.ts';

export function addWhy(program: Command, run: Run): void {
  program
    .command('why')
    .description("show what unshared the pages of a prefork server's workers, who owns them, and what to do")
    .argument(
      '[pid]',
      'a worker, or the process that workers were forked from (default: the running herd)',
      wholeNumber,
    )
    .option(...RUNTIME_DIR)
    .option('--reference <pid>', 'compare with this process if the parent is gone', wholeNumber)
    .option('--all', 'show causes and owners of every worker, not only of the median one')
    .option('--no-census', "don't look for the modules that hold the objects: owners are identified by type alone")
    .option('--html <file>', 'also write a page with a map of the memory, readable offline')
    .option('--save <file>', 'also save a snapshot, for --since')
    .option('--since <file>', 'also show what changed since a saved snapshot')
    .option('--force', 'overwrite existing output files')
    .option('--json', 'print it as JSON (docs/why.md)')
    .addHelpText(
      'after',
      '\nExamples:\n  cowherd why\n  cowherd why $(pgrep -o gunicorn) --html why.html\n  cowherd why --save before.json; sleep 60; cowherd why --since before.json',
    )
    .action(async (pid: number | undefined, options: WhyOptions) => {
      await run(async () => await (await import('./why.ts')).runWhy(pid, options));
    });
}
