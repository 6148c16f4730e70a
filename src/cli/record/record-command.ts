/** The command `record`, with its options. */
import { type Command, Option } from 'commander';
import { RUNTIME_DIR, positiveNumber, wholeNumber, type Run } from '../shared/arguments.ts';
import type { RecordOptions } from './record.ts';

/** Choices for options of `record`: see src/faults/recording/instrument.ts and src/faults/recording/perf-record.ts. */
const INSTRUMENTS = ['tracepoint', 'software'];
const CALL_GRAPHS = ['fp', 'dwarf'];

export function addRecord(program: Command, run: Run): void {
  program
    .command('record')
    .description('record the copies of shared pages as they happen, with stacks, by perf')
    .argument('[pid]', 'a worker, or the process that workers were forked from; else the running herd', wholeNumber)
    .option(...RUNTIME_DIR)
    .option('--seconds <seconds>', 'how long (10); Ctrl-C ends it earlier', positiveNumber)
    .option('--from-fork', 'the next workers from their first instant, and not those that are there')
    .addOption(new Option('--event <event>', 'instead of the better one that can be had').choices(INSTRUMENTS))
    .addOption(new Option('--call-graph <how>', 'how callers are found: fp (default) or dwarf').choices(CALL_GRAPHS))
    .option('--counters', 'count instructions per cycle and cache misses meanwhile')
    .option('--import <file>', 'read a perf.data, or the text of perf script, and record nothing')
    .option('--html <file>', 'write a page with a flame graph')
    .option('--speedscope <file>', 'write the stacks for speedscope')
    .option('--pprof <file>', 'write the stacks for pprof')
    .option('--collapsed <file>', 'write the stacks as lines, for flamegraph.pl and others')
    .option('--force', 'replace files that exist')
    .option('--json', 'print it as JSON (docs/record.md)')
    .addHelpText(
      'after',
      '\nExamples:\n  cowherd record --seconds 30 --html faults.html\n  cowherd record $(pgrep -o gunicorn) --from-fork',
    )
    .action(async (pid: number | undefined, options: RecordOptions) => {
      await run(async () => await (await import('./record.ts')).runRecord(pid, options));
    });
}
