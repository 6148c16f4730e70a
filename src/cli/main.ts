/**
 * The `cowherd` command: which command it is, and what becomes of its errors. Each command is imported when it is
 * called, so that `--help` stays fast.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { CowherdError } from '../base/errors.ts';

/** The command line that is not understood (`catalogue.USAGE`). */
const USAGE_STATUS = 2;

const EXAMPLES = `
Examples:
  cowherd serve myproject.wsgi --workers 8       what "gunicorn myproject.wsgi --workers 8" was
  cowherd serve myapp:app -k asgi -c gunicorn.conf.py --warmup "GET /"
  cowherd status --watch                         the herd, and what each worker still shares
  cowherd stop                                   requests in flight are finished
  cowherd doctor                                 what this machine and this project can do
  cowherd demo                                   a Django site under load, beside a stock herd

cowherd COMMAND --help tells more. Documentation: README.md and docs/.`;

async function main(argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv;
  // All of its arguments are gunicorn's, and go to gunicorn's own parser.
  if (first === 'serve') return await (await import('./serve.ts')).runServe(rest);

  let exitStatus = 0;
  const program = new Command('cowherd')
    .description(
      'A prefork application server for Python whose workers keep sharing the memory of the application.',
    )
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', EXAMPLES)
    .showSuggestionAfterError(true)
    .exitOverride();
  program
    .command('serve [arguments...]')
    .description('serve an application; takes every argument of gunicorn')
    .helpOption(false);
  program
    .command('demo')
    .description('serve the bundled Django application under load, and show what its workers share')
    .option('--python <path>', 'the interpreter; else .venv of the checkout, else the newest found')
    .option('--workers <count>', 'workers of each of the two herds', wholeNumber)
    .option('--seconds <seconds>', 'how long the load lasts', positiveNumber)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExamples:\n  cowherd demo\n  cowherd demo --workers 8 --seconds 60')
    .action(async (options: { python?: string; workers?: number; seconds?: number; json?: boolean }) => {
      exitStatus = await (await import('./demo.ts')).runDemo(options);
    });
  program
    .command('status')
    .description('how a running herd is: every process, its requests and its memory')
    .option('--runtime-dir <directory>', 'which herd; needed only where several run')
    .option('--watch', 'renew it until Ctrl-C')
    .option('--interval <seconds>', 'between two looks with --watch', positiveNumber)
    .option('--json', 'print it as JSON (docs/status.md)')
    .addHelpText('after', '\nExamples:\n  cowherd status --watch\n  cowherd status --json | jq .herd.memory')
    .action(async (options: { runtimeDir?: string; watch?: boolean; interval?: number; json?: boolean }) => {
      exitStatus = await (await import('./status.ts')).runStatus(options);
    });
  program
    .command('stop')
    .description('stop a running herd after its requests in flight, and wait until it is gone')
    .option('--runtime-dir <directory>', 'which herd; needed only where several run')
    .option('--quick', 'cut requests in flight short')
    .option('--timeout <seconds>', 'how long to wait (60)', positiveNumber)
    .addHelpText('after', '\nExamples:\n  cowherd stop\n  cowherd stop --quick --runtime-dir /run/cowherd/shop')
    .action(async (options: { runtimeDir?: string; quick?: boolean; timeout?: number }) => {
      exitStatus = await (await import('./stop.ts')).runStop(options);
    });
  program
    .command('doctor')
    .description('what this machine and this project can do: interpreters, gunicorn, kernel')
    .option('--python <path>', 'look at this interpreter too')
    .option('--chdir <folder>', 'where the project is')
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExamples:\n  cowherd doctor\n  cowherd doctor --json')
    .action(async (options: { python?: string; chdir?: string; json?: boolean }) => {
      exitStatus = await (await import('./doctor.ts')).runDoctor(options);
    });
  if (first === undefined) {
    program.outputHelp();
    return USAGE_STATUS;
  }
  await program.parseAsync(argv, { from: 'user' });
  return exitStatus;
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return `cowherd ${(JSON.parse(text) as { version: string }).version}`;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number above 0.');
  return value;
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

/** What a person reads: what happened and on what, then what to do next. */
function explain(error: CowherdError): string {
  const what = error.detail === null ? error.title : `${error.title}: ${error.detail}`;
  const head = pc.createColors(pc.isColorSupported && process.stderr.isTTY).red('Error');
  return `${head} ${error.code}: ${what}.\n${error.advice}\n`;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its own message; --help and --version come here too.
    process.exitCode = error.exitCode === 0 ? 0 : USAGE_STATUS;
  } else if (error instanceof CowherdError) {
    process.stderr.write(explain(error));
    process.exitCode = error.exitStatus;
  } else {
    const internal = new CowherdError('INTERNAL', { detail: String(error), cause: error });
    process.stderr.write(`${error instanceof Error ? (error.stack ?? '') : ''}\n${explain(internal)}`);
    process.exitCode = internal.exitStatus;
  }
}
