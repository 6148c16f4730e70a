/** The completion script for zsh (zshcompsys(1), "_arguments" and "_describe"). */
import type { CommandModel, OptionModel } from '../shared/command-model.ts';

/** @returns a script for a folder of $fpath, as `_cowherd` */
export function zshCompletion(commands: readonly CommandModel[]): string {
  return `#compdef cowherd
# zsh completion of cowherd, made by \`cowherd completion zsh\`

_cowherd() {
  local -a commands=(
${commands.map(({ name, description }) => `    ${quote(`${name}:${escapeColons(description)}`)}`).join('\n')}
    ${quote('help:show the help of a command')}
  )
  local context state state_descr line
  typeset -A opt_args
  _arguments -C '(-h --help)'{-h,--help}'[print the help]' '--version[print the version]' '1: :->command' '*:: :->rest'
  case $state in
    command) _describe -t commands command commands ;;
    rest)
      case $words[1] in
        help) _describe -t commands command commands ;;
${commands.map(branchOf).join('\n')}
      esac ;;
  esac
}

_cowherd "$@"
`;
}

function branchOf({ name, options, choices }: CommandModel): string {
  return `        ${name}) _arguments ${[...options.map(specOf), quote(choices.length === 0 ? '*: :_files' : `1: :(${choices.join(' ')})`)].join(' ')} ;;`;
}

function specOf({ short, long, value, description }: OptionModel): string {
  const text = `[${description.replaceAll(/[[\]\\]/g, String.raw`\$&`)}]${value === null ? '' : `:${escapeColons(value)}:_files`}`;
  const flags = [short, long].filter((flag) => flag !== null);
  // An option with a value may be repeated, as \`--bind\` may.
  if (flags.length === 1) return quote(`${value === null ? '' : '*'}${flags[0]}${text}`);
  const together = value === null ? `(${flags.join(' ')})` : '*';
  return `${quote(together)}{${flags.join(',')}}${quote(text)}`;
}

function escapeColons(text: string): string {
  return text.replaceAll(':', String.raw`\:`);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
