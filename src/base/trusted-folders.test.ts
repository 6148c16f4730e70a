import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { whyNotTrusted } from './trusted-folders.ts';

const uid = process.getuid?.() ?? 0;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-trusted-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A folder with this mode, whatever the umask. */
function make(name: string, mode = 0o700): string {
  const made = path.join(folder, name);
  mkdirSync(made, { recursive: true });
  chmodSync(made, mode);
  return made;
}

test.each(['/', '/proc', tmpdir(), '/no/such/place/at/all'])('%s is trusted', (place) => {
  expect(whyNotTrusted(place, { uid })).toBeNull();
});

test.each([
  [0o755, null],
  [0o1777, null],
  [0o3775, null],
  [0o777, '0777'],
  [0o775, '0775'],
  [0o757, '0757'],
])('a parent folder of mode %o', (mode, refused) => {
  const above = make('above', mode);
  for (const below of ['', 'run', 'a/b/c']) {
    expect(whyNotTrusted(path.join(above, below), { uid })).toBe(
      refused === null ? null : `others can write to ${above} (mode ${refused})`,
    );
  }
});

test('a distant parent counts too', () => {
  make('a/b/c');
  const open = make('a', 0o777);
  expect(whyNotTrusted(path.join(open, 'b', 'c', 'run'), { uid })).toContain(open);
});

test('a file can have nothing below it', () => {
  const file = path.join(folder, 'file');
  writeFileSync(file, '');
  expect(whyNotTrusted(path.join(file, 'run'), { uid })).toBe(`${file} is not a directory`);
});

describe('links', () => {
  test('are followed', () => {
    const open = make('open', 0o777);
    const around = `.././${path.basename(folder)}//open/`;
    for (const [index, target] of [open, 'open', around].entries()) {
      const link = path.join(folder, `link-${index}`);
      symlinkSync(target, link);
      expect(whyNotTrusted(path.join(link, 'run'), { uid })).toBe(`others can write to ${open} (mode 0777)`);
    }
    make('closed');
    symlinkSync('closed', path.join(folder, 'fine'));
    expect(whyNotTrusted(path.join(folder, 'fine', 'run'), { uid })).toBeNull();
  });

  test('in a cycle are refused', () => {
    symlinkSync('b', path.join(folder, 'a'));
    symlinkSync('a', path.join(folder, 'b'));
    expect(whyNotTrusted(path.join(folder, 'a', 'run'), { uid })).toContain('too many links');
  });
});
