/** The command `why`, with its options. */
import type { Command } from 'commander';
import { RUNTIME_DIR, wholeNumber, type Run } from '../shared/arguments.ts';
import type { WhyOptions } from './why.ts';

export function addWhy(program: Command, run: Run): void {
  program
    .command('why')
    .description("what unshared the pages of a prefork server's workers, whose they are, and what to do")
    .argument('[pid]', 'a worker, or the process that workers were forked from; else the running herd', wholeNumber)
    .option(...RUNTIME_DIR)
    .option('--reference <pid>', 'compare with this process, where the parent is gone', wholeNumber)
    .option('--all', 'the causes and owners of every worker, and not of the one in the middle only')
    .option('--census <file>', 'one that write_census has written (docs/why.md); a herd takes its own')
    .option('--no-census', 'do not have a herd take a census: owners are told by their types alone')
    .option('--html <file>', 'also write a page with a map of the memory, readable offline')
    .option('--save <file>', 'also keep this look, for --since')
    .option('--since <file>', 'also say what has changed since a look that was kept')
    .option('--force', 'replace output files that exist')
    .option('--json', 'print it as JSON (docs/why.md)')
    .addHelpText(
      'after',
      '\nExamples:\n  cowherd why\n  cowherd why $(pgrep -o gunicorn) --html why.html\n  cowherd why --save before.json; sleep 60; cowherd why --since before.json',
    )
    .action(async (pid: number | undefined, options: WhyOptions) => {
      await run(async () => await (await import('./why.ts')).runWhy(pid, options));
    });
}
