/** The commands as plain data, as completions and manual pages need them. */
import type { Command } from 'commander';

export interface OptionModel {
  /** `-b`; null if there is none. */
  readonly short: string | null;
  /** `--bind`; null if there is none. */
  readonly long: string | null;
  /** The name of its value, such as `ADDRESS`; null if it takes none. */
  readonly value: string | null;
  readonly description: string;
}

export interface CommandModel {
  readonly name: string;
  readonly description: string;
  /** The names of its arguments, as in its usage: `[pid]`. */
  readonly args: readonly string[];
  /** The values that its argument may have; empty: any. */
  readonly choices: readonly string[];
  readonly options: readonly OptionModel[];
  /** The text after the options: examples. */
  readonly after: string;
}

const HELP: OptionModel = { short: '-h', long: '--help', value: null, description: 'print its help' };

/** Every command, in the order of the help. */
export function modelsOf(program: Command): CommandModel[] {
  return program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    args: command.registeredArguments.map((argument) => {
      const name = argument.name();
      return argument.required ? `<${name}>` : `[${name}]`;
    }),
    choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    options: [...command.options.map(({ flags, description }) => optionModel(flags, description)), HELP],
    after: textAfterOptions(command),
  }));
}

/** @param flags as commander writes them: `-b, --bind <address>` */
export function optionModel(flags: string, description: string): OptionModel {
  return {
    short: /(?:^|[\s,])(-[^-\s,])(?=[\s,]|$)/.exec(flags)?.[1] ?? null,
    long: /(--[^\s,<[]+)/.exec(flags)?.[1] ?? null,
    value: /[<[]([^>\]]+)[>\]]/.exec(flags)?.[1] ?? null,
    description,
  };
}

/** What the command adds to its help. commander keeps it only as an event. */
function textAfterOptions(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (piece) => (text += piece) }).outputHelp();
  return text.slice(command.helpInformation().length).trim();
}
