/**
 * The `cowherd` command: chooses the command and reports its errors. Modules that `--help` and `serve` do not need,
 * such as the parser, are imported on demand.
 */
import { catalogue } from '../base/error-catalogue.ts';
import { CowherdError, isSystemError } from '../base/errors.ts';
import { installedVersion } from '../base/installation.ts';
import { printableLines } from '../base/printable.ts';
import { HELP } from './help.ts';
import { outliveTerminal } from './shared/lost-terminal.ts';

async function main(argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv;
  switch (first) {
    case undefined:
      process.stderr.write(HELP);
      return catalogue.USAGE.exitStatus;
    case '-h':
    case '--help':
      process.stdout.write(HELP);
      return 0;
    case '--version':
      process.stdout.write(`cowherd ${installedVersion()}\n`);
      return 0;
    case 'serve':
      // gunicorn's own parser takes its arguments.
      return await (await import('./serve/serve.ts')).runServe(rest);
    default:
      return await (await import('./commands.ts')).runCommand(argv);
  }
}

/** The text for people: what happened and to what, then what to do next. */
async function explain(error: CowherdError): Promise<string> {
  const { default: pc } = await import('picocolors');
  const colored = pc.isColorSupported && (process.stderr.isTTY || process.env['FORCE_COLOR'] !== undefined);
  const what = printableLines(error.detail === null ? error.title : `${error.title}: ${error.detail}`);
  // Our own lines, made of printable parts.
  const above = error.above === null ? '' : `${error.above}\n\n`;
  return `${above}${pc.createColors(colored).red('Error')} ${error.code}: ${what}.\n${printableLines(error.advice)}\n`;
}

async function report(error: unknown): Promise<number> {
  if (error instanceof CowherdError) {
    process.stderr.write(await explain(error));
    return error.exitStatus;
  }
  // bin/cowherd has looked at the limit, but more files may have to be open than it knew of.
  if (isSystemError(error, 'EMFILE')) {
    return await report(new CowherdError('TOO_FEW_DESCRIPTORS', { detail: error.message, cause: error }));
  }
  const internal = new CowherdError('INTERNAL', { detail: String(error), cause: error });
  process.stderr.write(
    `${printableLines(error instanceof Error ? (error.stack ?? '') : '')}\n${await explain(internal)}`,
  );
  return internal.exitStatus;
}

/** Exits at once, even if the command is still running. */
async function endWith(error: CowherdError): Promise<never> {
  process.exit(await report(error));
}

outliveTerminal();

let hasLostOutput = false;
process.stdout.on('error', (error) => {
  // The reader has closed the pipe, as in `cowherd status | head`.
  if (isSystemError(error, 'EPIPE')) process.exit();
  if (hasLostOutput) return;
  hasLostOutput = true;
  const detail = `standard output (${isSystemError(error) ? error.code : error.message})`;
  void endWith(new CowherdError('OUTPUT_FAILED', { detail, cause: error }));
});
// Only the exit status can still report the error.
process.stderr.on('error', () => {});

try {
  // Not process.exit(): output to a pipe must be flushed first.
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = await report(error);
}
