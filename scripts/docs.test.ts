/** The documentation has no dead references: links, headings, make targets, commands, error codes. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { isErrorCode } from '../src/base/errors.ts';
import { HELP } from '../src/cli/help.ts';

const root = path.resolve(import.meta.dirname, '..');
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(path.join(root, 'docs')).map((name) => `docs/${name}`),
  'examples/feed/README.md',
].filter((name) => name.endsWith('.md'));

const read = (name: string): string => readFileSync(path.join(root, name), 'utf8');
const withoutCode = (text: string): string => text.replaceAll(/```.*?```/gs, '').replaceAll(/`[^`\n]*`/g, '');

/** GitHub's anchor of a heading: lower case, no punctuation, hyphens for blanks. */
function anchors(text: string): string[] {
  return [...text.replaceAll(/```.*?```/gs, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('the pages that the README promises are there', () => {
  expect(pages).toEqual(expect.arrayContaining(['README.md', 'ARCHITECTURE.md', 'docs/settings.md', 'docs/status.md']));
});

test.each(pages)('every link of %s leads to a file and a heading', (page) => {
  for (const [, target = ''] of withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [file = '', anchor] = target.split('#');
    const found = file === '' ? page : path.posix.join(path.posix.dirname(page), file);
    expect(existsSync(path.join(root, found)), `${target} in ${page}`).toBe(true);
    if (anchor !== undefined) expect(anchors(read(found)), `${target} in ${page}`).toContain(anchor);
  }
});

const sourceNames = new Set(
  ['agent', 'bench', 'compatibility', 'examples', 'scripts', 'src', 'test'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true }).map((name) => path.basename(String(name))),
  ),
);

test.each(['ARCHITECTURE.md', 'SECURITY.md'])('every source file that %s names is there', (page) => {
  const names = [...read(page).matchAll(/`(?:[\w./-]*\/)?([\w.-]+\.(?:ts|py|json))`/g)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) {
    // Not source files: one belongs to a herd, one to users of gunicorn.
    if (['herd.json', 'gunicorn.conf.py'].includes(name)) continue;
    expect(sourceNames.has(name), `${name} in ${page}`).toBe(true);
  }
});

test.each(pages)('every make target that %s names is in the Makefile', (page) => {
  const makefile = read('Makefile');
  for (const [, target = ''] of read(page).matchAll(/`make ([a-z-]+)/g)) {
    expect(makefile, `make ${target} in ${page}`).toMatch(new RegExp(`^[a-z- \\\\\\n]*\\b${target}\\b[^=\\n]*:`, 'm'));
  }
});

test.each(pages)('every command that %s names is one', (page) => {
  const commands = [...HELP.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name);
  expect(commands).toContain('serve');
  for (const [, command = ''] of read(page).matchAll(/`(?:\.\/bin\/)?cowherd ([a-z]+)\b/g)) {
    expect(commands, `cowherd ${command} in ${page}`).toContain(command);
  }
});

const forUsers = pages.filter((page) => page === 'README.md' || page.startsWith('docs/'));

test.each(forUsers)('every error code that %s names is in the catalogue', (page) => {
  for (const [, code = ''] of read(page).matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)) {
    const isVariable =
      /^(CAP_|GUNICORN_|FEED_|FORCE_|PYTHON_|NO_COLOR|XDG_|COWHERD_|DJANGO_|PR_|SO_|WEB_|LISTEN_|NOTIFY_|WATCHDOG_|SCRIPT_)/.test(
        code,
      );
    expect(isVariable || isErrorCode(code), `${code} in ${page}`).toBe(true);
  }
});

test('docs/benchmarks.md has the figures of the benchmarks, with the values to reach', () => {
  const listed = [
    ...read('docs/benchmarks.md').matchAll(/^\| `([a-z0-9_]+)` \| (?:bench|test)-([a-z]+) \| ([≤≥]) ([\d.]+)/gm),
  ].map(([, name, benchmark, sign, value]) => `${benchmark}: ${name} ${sign} ${Number(value)}`);
  const programs = readdirSync(path.join(root, 'bench')).filter((name) => name.endsWith('.ts'));
  const judged = programs.flatMap((program) =>
    [...read(`bench/${program}`).matchAll(/at(Most|Least)\('([a-z0-9_]+)', ([\d.]+)\)/g)].map(
      ([, kind, name, value]) => `${path.parse(program).name}: ${name} ${kind === 'Most' ? '≤' : '≥'} ${Number(value)}`,
    ),
  );
  expect(new Set(listed)).toEqual(new Set(judged));
  expect(listed).toHaveLength(judged.length);
});
