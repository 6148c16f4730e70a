/** The page of all commands, from their definitions. Pure. */
import type { CommandModel, OptionModel } from '../../src/cli/shared/command-model.ts';

/** Why the examples of a command are not run by the test of the documentation. */
const NOT_RUN: Readonly<Record<string, string>> = {
  heal: 'switches page merging on in the kernel of the host; docs/heal.md has what it does, test/heal.test.ts runs it',
};

/** @param serveHelp the output of `cowherd serve --help`, for its examples */
export function commandsPage(commands: readonly CommandModel[], serveHelp: string): string {
  return `# Commands

<!-- Made by scripts/commands-page.ts from the definitions of the commands. -->

\`cowherd COMMAND --help\` prints the same. [list.md](list.md) says which herd a command acts on, and [errors.md](errors.md) what its exit status means. \`--version\` prints the version.

| command | |
|---|---|
${commands.map(({ name, description }) => `| [\`${name}\`](#cowherd-${name}) | ${cell(description)} |`).join('\n')}

${commands.map((command) => sectionOf(command, examplesOf(command, serveHelp))).join('\n\n')}
`;
}

function sectionOf({ name, description, args, choices, options }: CommandModel, examples: readonly string[]): string {
  const usage = ['cowherd', name, ...args, '[options]'].join(' ');
  const values = choices.length === 0 ? '' : ` Values of \`${args[0] ?? ''}\`: ${choices.map(code).join(', ')}.`;
  const parts = [
    `## cowherd ${name}`,
    `${upperFirst(description)}.${values}`,
    `\`${usage}\``,
    `| option | |\n|---|---|\n${options.map(rowOf).join('\n')}`,
  ];
  const reason = NOT_RUN[name];
  if (examples.length > 0) {
    parts.push(
      `${reason === undefined ? '' : `<!-- not run: ${reason} -->\n`}\`\`\`sh\n${examples.join('\n')}\n\`\`\``,
    );
  }
  return parts.join('\n\n');
}

/** The lines of its examples; empty if it has none. */
function examplesOf({ name, after }: CommandModel, serveHelp: string): string[] {
  const text = name === 'serve' ? serveHelp.slice(serveHelp.lastIndexOf('Examples:\n')) : after;
  return text
    .replace(/^Examples:\n/, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function rowOf({ short, long, value, description }: OptionModel): string {
  const flags = [short, long].filter((flag) => flag !== null);
  const words = `${flags.join(', ')}${value === null ? '' : ` ${value}`}`;
  return `| ${code(words)} | ${cell(description)} |`;
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

/** Text that ends no cell of a table. */
function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}

function upperFirst(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
