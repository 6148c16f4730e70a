/** Every command line of the pages for users is run. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../support/cowherd.ts';
import { needs, where } from '../support/needs.ts';
import { base, type Base } from './base.ts';
import { type Block, blocksOf } from './blocks.ts';
import { MACHINE_NEEDED, run } from './machine.ts';
import { before, PAGES } from './pages.ts';

const has = (program: string): boolean =>
  ['/usr/sbin', '/usr/bin', '/usr/local/bin'].some((folder) => existsSync(path.join(folder, program)));

/** Programs that a page's commands are about, and that not every machine has. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  'docs/install.md': ['npm'],
  'docs/reverse-proxies.md': ['nginx', 'caddy'],
  'docs/commands.md': ['perf', 'jq'],
};

const blocksIn = (page: string): Block[] => blocksOf(readFileSync(path.join(ROOT, page), 'utf8'));

function scriptOf(page: string): string {
  const seen = new Set<string>();
  const parts = blocksIn(page)
    .filter(({ file, language, notRun }) => notRun === null && (language === 'sh' || file !== null))
    .map((block) => {
      const { line, file, text } = block;
      const lines = [`at='block in line ${line} of ${page}'`, before(page, block, seen)];
      if (file === null) return [...lines, text].join('\n');
      return [...lines, `mkdir -p "$(dirname '${file}')"`, `cat >'${file}' <<'END OF FILE'`, `${text}END OF FILE`].join(
        '\n',
      );
    });
  const prelude = readFileSync(path.join(import.meta.dirname, 'prelude.sh'), 'utf8');
  return [prelude, ...parts, "end_server\necho 'every block was run'\n"].join('\n');
}

describe('every command', needs(MACHINE_NEEDED), () => {
  let machine: Base | null = null;

  beforeAll(async () => {
    machine = await base();
  });

  test('a command that fails is noticed', () => {
    const prelude = readFileSync(path.join(import.meta.dirname, 'prelude.sh'), 'utf8');
    const { layer = '', env = {} } = machine ?? {};
    const ran = run(`${prelude}\ntrue\ncowherd status --no-such-option\necho later`, { on: layer, env });
    expect(ran.stderr).toContain('Error USAGE');
    expect(ran.stderr).toContain('FAILED with status');
    expect(ran.stdout).not.toContain('later');
  });

  for (const page of PAGES) {
    const missing = (PROGRAMS[page] ?? []).filter((program) => !has(program));
    test(`of ${page} runs`, needs(where(missing.length === 0, `needs ${missing.join(', ')}`)), () => {
      const { layer = '', env = {} } = machine ?? {};
      const ran = run(scriptOf(page), { on: layer, env });
      expect(`${ran.stdout.slice(-4000)}\n${ran.stderr.slice(-6000)}`).toContain('every block was run');
      expect(ran.status).toBe(0);
    });
  }
});

test('the blocks that are not run are these', () => {
  const left = PAGES.flatMap((page) =>
    blocksIn(page).flatMap(({ notRun, language }) =>
      notRun === null || language !== 'sh' ? [] : [`${page}: ${notRun}`],
    ),
  );
  console.log(left.join('\n'));
  expect(left).toMatchInlineSnapshot(`
    [
      "README.md: the demo and the tests themselves; CI runs both",
      "docs/install.md: builds the packages; every test of the documentation begins with that build",
      "docs/from-unit.md: needs NGINX Unit, which Debian 12 does not have",
      "docs/reverse-proxies.md: Traefik is no package of Debian; reverse-proxies.test.ts runs these files with Traefik of the Python index",
      "docs/systemd.md: needs systemd as process 1; scripts/examples.test.ts checks the commands of the units",
      "docs/containers.md: make test-container builds the image, with buildah on Debian's files, since it needs no registry",
      "docs/containers.md: make test-container builds this with buildah and runs it with runc",
      "docs/commands.md: switches page merging on in the kernel of the host; docs/heal.md has what it does, test/heal.test.ts runs it",
    ]
  `);
});
