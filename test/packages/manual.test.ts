/** The manual pages and completions in the packages, read by the tools that users read them with. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/cowherd.ts';
import { needs, where } from '../support/needs.ts';
import { packageFile } from './installing.ts';

/** How bold letters are printed: a letter, a backspace, the letter. */
const OVERSTRUCK = new RegExp(`.${String.fromCodePoint(8)}`, 'g');
const MANDOC_NEEDED = where(spawnSync('mandoc', ['-h']).error === undefined, 'needs mandoc');

async function share(): Promise<string> {
  const folder = temporaryFolder();
  execFileSync('tar', ['--extract', '--gzip', '--directory', folder, '--file', await packageFile(/^cowherd-.*\.tgz$/)]);
  return path.join(folder, 'package', 'share');
}

describe('manual pages', needs(MANDOC_NEEDED), () => {
  test('have no error, and print every option and exit status', async () => {
    const pages = path.join(await share(), 'man', 'man1');
    for (const name of readdirSync(pages)) {
      const checked = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', path.join(pages, name)], {
        encoding: 'utf8',
      });
      const problems = checked.stdout.split('\n').filter((line) => line !== '' && !line.includes('missing date'));
      expect(problems, name).toEqual([]);
    }
    const print = (name: string): string =>
      execFileSync('mandoc', ['-T', 'utf8', '-O', 'width=90', path.join(pages, name)], { encoding: 'utf8' }).replaceAll(
        OVERSTRUCK,
        '',
      );
    expect(print('cowherd-serve.1')).toContain('-w, --workers INT');
    expect(print('cowherd-serve.1')).toContain('--refork-by-benefit');
    expect(print('cowherd-why.1')).toContain('cowherd why $(pgrep -o gunicorn) --html why.html');
    expect(print('cowherd.1')).toContain('NO_NODE: There is no Node to run');
  });
});

test('the packages have completions for three shells', async () => {
  const files = readdirSync(await share(), { recursive: true });
  expect(files).toEqual(
    expect.arrayContaining([
      'bash-completion/completions/cowherd',
      'zsh/site-functions/_cowherd',
      'fish/vendor_completions.d/cowherd.fish',
    ]),
  );
});
