/** Completions in real shells. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { COWHERD, temporaryFolder } from '../support/cowherd.ts';
import { needs, where } from '../support/needs.ts';

const there = (shell: string): string | null => where(spawnSync(shell, ['--version']).status === 0, `needs ${shell}`);

function script(shell: string): string {
  return execFileSync(COWHERD, ['completion', shell], { encoding: 'utf8' });
}

/** The lines that each shell is asked to complete, with some of the words that it must offer, and not offer. */
const CASES: readonly (readonly [line: string, offered: readonly string[], notOffered: readonly string[]])[] = [
  ['cowherd sta', ['status'], ['stop']],
  ['cowherd re', ['reload', 'refork', 'record'], ['rollback']],
  ['cowherd status --w', ['--watch'], ['--json']],
  ['cowherd serve --heap', ['--heap-policy'], ['--heal']],
  ['cowherd serve --worker-cl', ['--worker-class'], ['--workers']],
  ['cowherd serve shop:app --bin', ['--bind'], ['--backlog']],
  ['cowherd completion f', ['fish'], ['bash']],
];

describe('bash', needs(there('bash')), () => {
  test.each(CASES)('%s', (line, offered, notOffered) => {
    const words = line.split(' ');
    const ask = `${script('bash')}\nCOMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _cowherd; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const found = execFileSync('bash', ['--norc', '-c', ask], { encoding: 'utf8' }).trim().split('\n');
    expect(found).toEqual(expect.arrayContaining([...offered]));
    for (const word of notOffered) expect(found).not.toContain(word);
  });
});

describe('fish', needs(there('fish')), () => {
  test.each(CASES)('%s', (line, offered, notOffered) => {
    const ask = `${script('fish')}\ncomplete -C '${line}'`;
    const home = temporaryFolder();
    const text = execFileSync('fish', ['--no-config', '-c', ask], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: home },
    });
    const found = text.split('\n').map((each) => each.split('\t')[0]);
    expect(found).toEqual(expect.arrayContaining([...offered]));
    for (const word of notOffered) expect(found).not.toContain(word);
  });
});

describe('zsh', needs(there('zsh')), () => {
  // In a pseudo-terminal (zshmodules(1), "The zsh/zpty Module"): zsh completes only what is typed.
  const ASK = `
zmodload zsh/zpty
zpty asked zsh -f -i
zpty -w asked "PS1= ; fpath=($1 \\$fpath); autoload -U compinit; compinit -u -D; LISTMAX=1000; bindkey -e; print READY"
zpty -r asked text '*READY*READY*'
zpty -n -w asked "$2"$'\\t\\t'
sleep 1
zpty -n -w asked $'\\n'
zpty -r -t asked text; while zpty -r -t asked more; do text+=$more; done
print -r -- "$text"
zpty -d asked
`;

  test.each(CASES)('%s', (line, offered) => {
    const folder = path.join(temporaryFolder(), 'completions');
    mkdirSync(folder);
    writeFileSync(path.join(folder, '_cowherd'), script('zsh'));
    const text = execFileSync('zsh', ['-f', '-c', ASK, 'zsh', folder, line], { encoding: 'utf8', timeout: 60_000 });
    for (const word of offered) expect(text).toContain(word);
  });
});
