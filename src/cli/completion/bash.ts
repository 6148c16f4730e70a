/** The completion script for bash (bash(1), "Programmable Completion"). */
import type { CommandModel } from '../shared/command-model.ts';

/** @returns a script to be sourced, or to be put into the folder of completions as `cowherd` */
export function bashCompletion(commands: readonly CommandModel[]): string {
  const names = commands.map(({ name }) => name);
  return `# bash completion of cowherd, made by \`cowherd completion bash\`

_cowherd() {
  local word command= current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local options= with_value= words=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $word != -* ]]; then command=$word; break; fi
  done
  case $command in
    '') COMPREPLY=($(compgen -W '${[...names, 'help', '--help', '--version'].join(' ')}' -- "$current")); return ;;
    help) COMPREPLY=($(compgen -W '${names.join(' ')}' -- "$current")); return ;;
${commands.map(branchOf).join('\n')}
  esac
  # After an option with a value, and for arguments: a file.
  if [[ $current == -* && " $with_value " != *" $previous "* ]]; then
    COMPREPLY=($(compgen -W "$options $with_value" -- "$current"))
  elif [[ $words && " $with_value " != *" $previous "* ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    compopt -o default
  fi
}

complete -F _cowherd cowherd
`;
}

function branchOf({ name, options, choices }: CommandModel): string {
  const flags = (takesValue: boolean): string =>
    options
      .filter(({ value }) => (value !== null) === takesValue)
      .flatMap(({ short, long }) => [long, short])
      .filter((flag) => flag !== null)
      .join(' ');
  return `    ${name}) options='${flags(false)}' with_value='${flags(true)}' words='${choices.join(' ')}' ;;`;
}
