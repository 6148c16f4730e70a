/** The completion script for fish (fish's manual, "complete"). */
import type { CommandModel, OptionModel } from '../shared/command-model.ts';

/** @returns a script for a folder of completions, as `cowherd.fish` */
export function fishCompletion(commands: readonly CommandModel[]): string {
  const lines = [
    '# fish completion of cowherd, made by `cowherd completion fish`',
    'complete -c cowherd -f',
    `complete -c cowherd -n __fish_use_subcommand -l version -d ${quote('print the version')}`,
  ];
  for (const { name, description } of commands) {
    lines.push(`complete -c cowherd -n __fish_use_subcommand -a ${name} -d ${quote(description)}`);
  }
  const names = commands.map(({ name }) => name).join(' ');
  lines.push(`complete -c cowherd -n ${quote('__fish_seen_subcommand_from help')} -a ${quote(names)}`);
  for (const command of commands) {
    const condition = quote(`__fish_seen_subcommand_from ${command.name}`);
    const { choices } = command;
    lines.push(`complete -c cowherd -n ${condition} ${choices.length === 0 ? '-F' : `-a ${quote(choices.join(' '))}`}`);
    for (const option of command.options) lines.push(`complete -c cowherd -n ${condition}${flagsOf(option)}`);
  }
  return `${lines.join('\n')}\n`;
}

function flagsOf({ short, long, value, description }: OptionModel): string {
  const words = [
    short === null ? '' : ` -s ${short.slice(1)}`,
    long === null ? '' : ` -l ${long.slice(2)}`,
    value === null ? '' : ' -r',
    ` -d ${quote(description)}`,
  ];
  return words.join('');
}

function quote(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}
