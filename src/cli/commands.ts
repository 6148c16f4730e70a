/**
 * Every command but `serve`: its options, and the file that runs it, imported when it is called.
 */
import { Command, CommanderError, Help, InvalidArgumentError, Option } from 'commander';
import { CowherdError } from '../base/errors.ts';
import type { DemoOptions } from './demo.ts';
import type { DoctorOptions } from './doctor.ts';
import type { HealOptions } from './heal.ts';
import { HELP } from './help.ts';
import type { HistoryOptions } from './history.ts';
import type { ListOptions } from './list.ts';
import type { RolloutKind } from '../supervisor/state.ts';
import type { RecordOptions } from './record.ts';
import type { RolloutOptions } from './rollout.ts';
import type { ScaleOptions } from './scale.ts';
import type { SettingsOptions } from './settings.ts';
import type { StatusOptions } from './status.ts';
import type { StopOptions } from './stop.ts';
import type { WhyOptions } from './why.ts';

/** What `record` can be told to use; see src/faults/instrument.ts and recording.ts. */
const INSTRUMENTS = ['tracepoint', 'software'];
const CALL_GRAPHS = ['fp', 'dwarf'];

const ROLLOUTS: Readonly<Record<RolloutKind, string>> = {
  reload: 'new code and new settings, without a dropped request',
  rollback: 'back to the generation before the last reload',
  refork: 'make a warmed worker the mold of the next generation',
};

/**
 * Parse a command line and run its command.
 *
 * @returns the exit status
 * @throws CowherdError USAGE, for a line that can't be understood, or what the command throws
 */
export async function runCommand(argv: readonly string[]): Promise<number> {
  let exitStatus = 0;
  const program = new Command('cowherd')
    .helpCommand('help [command]')
    .configureHelp({ formatHelp })
    .configureOutput({ outputError: () => {} })
    .exitOverride();
  program.command('serve').helpOption(false);
  program
    .command('demo')
    .description('serve the bundled Django application under load, and show what its workers share')
    .option('--python <path>', 'the interpreter; else .venv of the checkout, else the newest found')
    .option('--workers <count>', 'workers of each of the two herds', wholeNumber)
    .option('--seconds <seconds>', 'how long the load lasts', positiveNumber)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExamples:\n  cowherd demo\n  cowherd demo --workers 8 --seconds 60')
    .action(async (options: DemoOptions) => {
      exitStatus = await (await import('./demo.ts')).runDemo(options);
    });
  program
    .command('status')
    .description('how a running herd is: every process, its requests and its memory')
    .option('--runtime-dir <directory>', 'which herd; else the one that was started in this folder')
    .option('--watch', 'renew it until Ctrl-C')
    .option('--interval <seconds>', 'between two looks with --watch', positiveNumber)
    .option('--json', 'print it as JSON (docs/status.md)')
    .option('--ready', 'print nothing; exit with 0 when the herd is to get traffic, else with 1 and why')
    .addHelpText('after', '\nExamples:\n  cowherd status --watch\n  cowherd status --json | jq .herd.memory')
    .action(async (options: StatusOptions) => {
      exitStatus = await (await import('./status.ts')).runStatus(options);
    });
  program
    .command('stop')
    .description('stop a running herd after its requests in flight, and wait until it is gone')
    .option('--runtime-dir <directory>', 'which herd; else the one that was started in this folder')
    .option('--quick', 'cut requests in flight short')
    .option('--timeout <seconds>', 'how long to wait (60)', positiveNumber)
    .addHelpText('after', '\nExamples:\n  cowherd stop\n  cowherd stop --quick --runtime-dir /run/cowherd/shop')
    .action(async (options: StopOptions) => {
      exitStatus = await (await import('./stop.ts')).runStop(options);
    });
  for (const [kind, description] of Object.entries(ROLLOUTS)) {
    program
      .command(kind)
      .description(description)
      .option('--runtime-dir <directory>', 'which herd; else the one that was started in this folder')
      .option('--no-wait', 'return as soon as it has begun')
      .option('--timeout <seconds>', 'how long to wait for its end (600)', positiveNumber)
      .option('--json', 'print how it ended as JSON')
      .addHelpText('after', `\nExamples:\n  cowherd ${kind}\n  cowherd ${kind} --runtime-dir /run/cowherd/shop --json`)
      .action(async (options: RolloutOptions) => {
        exitStatus = await (await import('./rollout.ts')).runRollout(kind as RolloutKind, options);
      });
  }
  program
    .command('scale')
    .description('change the number of workers of a running herd')
    .argument('<workers>', 'how many there are to be', wholeNumber)
    .option('--runtime-dir <directory>', 'which herd; else the one that was started in this folder')
    .addHelpText('after', '\nExamples:\n  cowherd scale 16')
    .action(async (workers: number, options: ScaleOptions) => {
      exitStatus = await (await import('./scale.ts')).runScale(workers, options);
    });
  program
    .command('list')
    .description('the herds that run: of this user, or, for root, of all')
    .option('--json', 'print it as JSON (docs/list.md)')
    .addHelpText('after', "\nExamples:\n  cowherd list\n  cowherd list --json | jq -r '.herds[].folder'")
    .action(async (options: ListOptions) => {
      exitStatus = await (await import('./list.ts')).runList(options);
    });
  program
    .command('history')
    .description('what each reload, refork, rollback and stop did to the host, also of a herd that has ended')
    .option('--runtime-dir <directory>', 'which herd; else the one that was started in this folder')
    .option('--json', 'print it as JSON (docs/history.md)')
    .addHelpText('after', '\nExamples:\n  cowherd history\n  cowherd history --json | jq ".records[-1].host"')
    .action(async (options: HistoryOptions) => {
      exitStatus = await (await import('./history.ts')).runHistory(options);
    });
  program
    .command('why')
    .description("what unshared the pages of a prefork server's workers, whose they are, and what to do")
    .argument('[pid]', 'a worker, or the process that workers were forked from; else the running herd', wholeNumber)
    .option('--runtime-dir <directory>', 'which herd; else the one that was started in this folder')
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
      exitStatus = await (await import('./why.ts')).runWhy(pid, options);
    });
  program
    .command('heal')
    .description('have the kernel merge memory that workers have copied though it is still the same (KSM; root)')
    .argument('[pid]', 'a process of a prefork server; else the running herd', wholeNumber)
    .option('--runtime-dir <directory>', 'which herd; else the one that was started in this folder')
    .option('--yes', 'do not ask before settings of the host are changed')
    .option('--keep', 'leave KSM on afterwards')
    .option('--seconds <seconds>', 'how long it may take (300)', positiveNumber)
    .option('--json', 'print it as JSON (docs/heal.md)')
    .addHelpText('after', '\nExamples:\n  sudo cowherd heal\n  sudo cowherd heal $(pgrep -o gunicorn) --yes --json')
    .action(async (pid: number | undefined, options: HealOptions) => {
      exitStatus = await (await import('./heal.ts')).runHeal(pid, options);
    });
  program
    .command('record')
    .description('record the copies of shared pages as they happen, with stacks, by perf')
    .argument('[pid]', 'a worker, or the process that workers were forked from; else the running herd', wholeNumber)
    .option('--runtime-dir <directory>', 'which herd; else the one that was started in this folder')
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
      exitStatus = await (await import('./record.ts')).runRecord(pid, options);
    });
  program
    .command('settings')
    .description("every setting that serve takes: Cowherd's and those of this gunicorn")
    .argument('[word]', 'only those with this in their name')
    .option('--python <path>', 'the interpreter, as of serve')
    .option('--chdir <folder>', 'where the project is')
    .option('--json', 'print them as JSON (docs/settings.md)')
    .addHelpText('after', '\nExamples:\n  cowherd settings\n  cowherd settings timeout')
    .action(async (word: string | undefined, options: SettingsOptions) => {
      exitStatus = await (await import('./settings.ts')).runSettings(word, options);
    });
  program
    .command('doctor')
    .description('what this machine and this project can do: interpreters, gunicorn, kernel')
    .option('--python <path>', 'the interpreter to serve with')
    .option('--chdir <folder>', 'where the project is')
    .option('--json', 'print it as JSON (docs/doctor.md)')
    .addHelpText('after', '\nExamples:\n  cowherd doctor\n  cowherd doctor --chdir /srv/shop --json')
    .action(async (options: DoctorOptions) => {
      exitStatus = await (await import('./doctor.ts')).runDoctor(options);
    });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help ends by an error, too.
    if (error.exitCode !== 0) throw new CowherdError('USAGE', { detail: oneLine(error.message), cause: error });
  }
  return exitStatus;
}

function formatHelp(command: Command, helper: Help): string {
  if (command.parent === null) return HELP;
  if (command.name() === 'serve') return '`cowherd serve --help` tells what it takes.\n';
  return Help.prototype.formatHelp.call(helper, command, helper);
}

/** commander's message without its prefix, its line breaks and its last full stop. */
function oneLine(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/^command-argument value '(.*)' is invalid for argument '(.*)'\./, "'$1' cannot be $2:")
    .replace(/^option '(.*)' argument '(.*)' is invalid\./, "'$2' cannot be the value of $1:")
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '');
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('it must be a whole number above 0.');
  return value;
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('it must be a number above 0.');
  return value;
}
