/** The tables of the pages for users name what exists, and figures that were measured. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { PYTHON, ROOT } from '../support/cowherd.ts';
import { needs, where } from '../support/needs.ts';

const read = (page: string): string => readFileSync(path.join(ROOT, 'docs', page), 'utf8');

/** The rows of the tables of a page, as cells. */
const rowsOf = (text: string): string[][] =>
  [...text.matchAll(/^\| (.*) \|$/gm)]
    .map(([, row = '']) => row.split(' | '))
    .filter((row) => row.some((cell) => cell.includes('`')));

const names = (cell: string | undefined): string[] =>
  [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

interface Settings {
  readonly all: string[];
  /** Those that have no effect under Cowherd. */
  readonly idle: string[];
}

const settings = JSON.parse(
  execFileSync(
    PYTHON,
    [
      '-c',
      `
import json, sys
sys.path[:0] = ["agent", "scripts"]
import cowherd_agent.mold.own_settings
from gunicorn.config import KNOWN_SETTINGS
from gunicorn_settings_taken_over import TREATMENTS
idle = [name for name, (kind, _) in TREATMENTS.items() if kind == "no effect"]
print(json.dumps({"all": [each.name for each in KNOWN_SETTINGS], "idle": idle}))
`,
    ],
    { cwd: ROOT, encoding: 'utf8' },
  ),
) as Settings;

test("from-gunicorn.md names gunicorn's settings, and every one that has no effect", () => {
  const [, part = ''] = read('from-gunicorn.md').split('## Settings that change');
  const listed = rowsOf(part.split('\n## ')[0] ?? '').flatMap(([first]) => names(first));
  expect(listed.filter((name) => !settings.all.includes(name))).toEqual([]);
  // Told elsewhere on the page, or of no interest when one changes over.
  const silent = new Set(['enable_stdio_inheritance', 'control_socket_mode', 'control_socket_disable']);
  expect(settings.idle.filter((name) => !listed.includes(name) && !silent.has(name))).toEqual([]);
});

test.each(['from-uwsgi.md', 'from-unit.md'])('%s names settings that there are', (page) => {
  const right = rowsOf(read(page)).flatMap(([, second]) => names(second));
  const named = right
    .map((name) => /^([a-z]+(?:_[a-z]+)*)(?: = .*)?$/.exec(name)?.[1])
    .filter((name) => name !== undefined);
  const others = new Set(['sync', 'asgi', 'client_max_body_size', 'uwsgi']);
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((name) => !settings.all.includes(name) && !others.has(name))).toEqual([]);
});

const uwsgi = spawnSync(path.join(path.dirname(PYTHON), 'uwsgi'), ['--help'], { encoding: 'utf8' });

describe('uWSGI', needs(where(uwsgi.status === 0, 'needs uWSGI')), () => {
  test('from-uwsgi.md names options that it has', () => {
    const [, part = ''] = read('from-uwsgi.md').split('## Settings');
    const listed = rowsOf(part.split('\n## ')[0] ?? '').flatMap(([first]) => names(first));
    expect(listed.length).toBeGreaterThan(60);
    const has = (name: string): boolean => new RegExp(`--${name.replace('…', '[a-z-]+')}[ |\\n]`).test(uwsgi.stdout);
    expect(listed.filter((name) => !has(name))).toEqual([]);
  });
});

test('why-node.md has the figures of benchmarks.md', () => {
  const measured = new Map(
    rowsOf(read('benchmarks.md')).map(([name, benchmark, , value = '']) => [`${names(name)[0]}, ${benchmark}`, value]),
  );
  const rows = rowsOf(read('why-node.md').split('## What it costs')[1] ?? '').filter((cells) => cells.length === 3);
  expect(rows.length).toBe(6);
  for (const [, value = '', source] of rows) {
    const numbers = [...value.matchAll(/[\d.]+/g)].map(([number]) => number);
    const benchmark = source?.split(', ').at(-1);
    const figures = names(source).map((name) => /[\d.]+/.exec(measured.get(`${name}, ${benchmark}`) ?? '')?.[0]);
    expect(numbers, source).toEqual(figures);
  }
});
