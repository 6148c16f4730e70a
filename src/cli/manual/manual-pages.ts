/**
 * The manual pages, one for each command and one for all of them, with the macros of man(7).
 *
 * A page has no date: the same commands make the same bytes.
 */
import type { CatalogueEntry } from '../../base/error-catalogue.ts';
import type { CommandModel, OptionModel } from '../shared/command-model.ts';

export interface ManualPage {
  /** `cowherd-status.1`. */
  readonly file: string;
  readonly text: string;
}

export interface Manual {
  readonly version: string;
  readonly commands: readonly CommandModel[];
  /** The errors, with their exit statuses. */
  readonly errors: readonly (readonly [code: string, CatalogueEntry])[];
  /** The output of `cowherd serve --help`, whose layout is its own. */
  readonly serveHelp: string;
}

const DESCRIPTION =
  "Cowherd is a prefork application server for Python. It runs gunicorn's own workers with gunicorn's settings, and forks them from one mold, a process whose heap is prepared so that the workers keep sharing the application's memory.";

export function manualPages(manual: Manual): ManualPage[] {
  return [
    { file: 'cowherd.1', text: overview(manual) },
    ...manual.commands.map((command) => ({ file: `cowherd-${command.name}.1`, text: pageOf(command, manual) })),
  ];
}

function overview({ version, commands, errors }: Manual): string {
  return page('cowherd', version, [
    section('NAME', ['cowherd \\- a prefork application server for Python']),
    section('SYNOPSIS', ['.B cowherd', '.I command', '[\\fIoptions\\fR]']),
    section('DESCRIPTION', [escaped(DESCRIPTION)]),
    section(
      'COMMANDS',
      commands.flatMap(({ name, description }) => tagged(`\\fB${escaped(`cowherd-${name}`)}\\fR(1)`, description)),
    ),
    section('ENVIRONMENT', [
      ...tagged('\\fBCOWHERD_NODE\\fR', 'the Node to run with'),
      ...tagged('\\fBVIRTUAL_ENV\\fR', 'the virtual environment to serve with'),
      ...tagged('\\fBGUNICORN_CMD_ARGS\\fR', "gunicorn's: further arguments of serve"),
      ...tagged('\\fBNO_COLOR\\fR, \\fBFORCE_COLOR\\fR', 'no colours, or colours also without a terminal'),
    ]),
    section('EXIT STATUS', [
      'Zero, or the status of one of these errors:',
      ...errors.flatMap(([code, { exitStatus, title }]) => tagged(`\\fB${exitStatus}\\fR`, `${code}: ${title}`)),
    ]),
    section('SEE ALSO', ['.BR gunicorn (1)']),
  ]);
}

function pageOf(command: CommandModel, { version, serveHelp }: Manual): string {
  const { name, description, args, options, after } = command;
  const title = `cowherd-${name}`;
  const usage = [`cowherd ${name}`, ...args.map((arg) => `\\fI${escaped(arg)}\\fR`)];
  const examples = name === 'serve' ? /^Examples:\n(.*)$/ms.exec(serveHelp)?.[1] : after.replace(/^Examples:\n/, '');
  return page(title, version, [
    section('NAME', [`${escaped(title)} \\- ${escaped(description)}`]),
    section('SYNOPSIS', [`.B ${escaped(usage[0] ?? '')}`, ...usage.slice(1), '[\\fIoptions\\fR]']),
    ...(name === 'serve' ? [section('DESCRIPTION', paragraph(serveHelp))] : []),
    section(
      'OPTIONS',
      options.flatMap((option) => tagged(flagsOf(option), option.description)),
    ),
    ...(examples === undefined || examples === '' ? [] : [section('EXAMPLES', literally(examples))]),
    section('SEE ALSO', ['.BR cowherd (1)']),
  ]);
}

/** The paragraph after the usage. */
function paragraph(help: string): string[] {
  return [escaped((help.split('\n\n')[1] ?? '').replaceAll('\n', ' '))];
}

function flagsOf({ short, long, value }: OptionModel): string {
  const flags = [short, long].filter((flag) => flag !== null).map((flag) => `\\fB${escaped(flag)}\\fR`);
  return `${flags.join(', ')}${value === null ? '' : ` \\fI${escaped(value)}\\fR`}`;
}

function page(title: string, version: string, sections: readonly string[][]): string {
  const head = `.TH ${escaped(title).toUpperCase()} 1 "" "Cowherd ${version}" "Cowherd"`;
  return `${['.\\" Made from the definitions of the commands (src/cli/manual).', head, ...sections.flat()].join('\n')}\n`;
}

function section(title: string, lines: readonly string[]): string[] {
  return [`.SH ${title}`, ...lines];
}

function tagged(tag: string, text: string): string[] {
  return ['.TP', tag, escaped(text)];
}

/** Lines as they are, such as commands. */
function literally(text: string): string[] {
  const lines = text.replace(/\n+$/, '').split('\n');
  return ['.nf', ...lines.map((line) => escaped(line.replace(/^ {2}/, ''))), '.fi'];
}

/** Text of roff that prints as it is (groff_char(7); groff(7), "Escapes"). */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', "'")
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(/^\./, '\\&.');
}
