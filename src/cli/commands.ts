/** Every command except `serve`. Parses the command line and imports only the file that runs the command. */
import { Command, CommanderError, Help } from 'commander';
import { CowherdError } from '../base/errors.ts';
import type { Run } from './shared/arguments.ts';
import { addHistory, addList, addRollouts, addScale, addStatus, addStop } from './control/control-commands.ts';
import { addCompletion } from './completion/completion-command.ts';
import { addDemo } from './demo/demo-command.ts';
import { addDoctor } from './doctor/doctor-command.ts';
import { addHeal } from './heal/heal-command.ts';
import { HELP } from './help.ts';
import { addRecord } from './record/record-command.ts';
import { addSettings } from './settings-command.ts';
import { addWhy } from './why/why-command.ts';

/** In the order of the help. */
const COMMANDS = [
  addDemo,
  addStatus,
  addStop,
  addRollouts,
  addScale,
  addList,
  addHistory,
  addWhy,
  addHeal,
  addRecord,
  addSettings,
  addDoctor,
  addCompletion,
];

/**
 * Parses a command line and runs its command.
 *
 * @returns the exit status
 * @throws CowherdError USAGE for a line that can't be parsed; what the command throws
 */
export async function runCommand(argv: readonly string[]): Promise<number> {
  let exitStatus = 0;
  const program = commandsFor(async (command) => {
    exitStatus = await command();
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // commander reports help by an error, too.
    if (error.exitCode !== 0) throw new CowherdError('USAGE', { detail: oneLine(error.message), cause: error });
  }
  return exitStatus;
}

/** @param run called with the command of the line that is parsed */
export function commandsFor(run: Run): Command {
  const program = new Command('cowherd')
    .helpCommand('help [command]')
    .configureHelp({ formatHelp })
    .configureOutput({ outputError: () => {} })
    .exitOverride();
  program.command('serve').description('serve an application; takes every option of gunicorn').helpOption(false);
  for (const add of COMMANDS) add(program, run);
  return program;
}

function formatHelp(command: Command, helper: Help): string {
  if (command.parent === null) return HELP;
  if (command.name() === 'serve') return '`cowherd serve --help` lists its options.\n';
  return Help.prototype.formatHelp.call(helper, command, helper);
}

/** commander's message without its prefix, its line breaks and its last full stop. */
function oneLine(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/^command-argument value '(.*)' is invalid for argument '(.*)'\./, "'$1' is not a valid value for $2:")
    .replace(/^option '(.*)' argument '(.*)' is invalid\./, "'$2' is not a valid value for $1:")
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '');
}
