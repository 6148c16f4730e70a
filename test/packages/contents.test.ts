/** The packages themselves: the same bytes from the same sources, small, with their licences. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { makePackages } from '../../scripts/dist.ts';
import { PYTHON, ROOT, temporaryFolder } from '../support/cowherd.ts';
import { packageFile, packages } from './installing.ts';

const LARGEST_MIB = 3;
const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
  dependencies: Record<string, string>;
};

const digests = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(path.join(folder, name)))
          .digest('hex'),
      ]),
  );

/** The names of the files in a wheel or a tarball. */
function contents(file: string): string[] {
  const list =
    'import sys, tarfile, zipfile\nfile = sys.argv[1]\nprint(*(zipfile.ZipFile(file).namelist() if file.endswith(".whl") else tarfile.open(file).getnames()), sep="\\n")';
  return execFileSync(PYTHON, ['-c', list, file], { encoding: 'utf8' }).trim().split('\n');
}

function textIn(wheel: string, name: string): string {
  const read = 'import sys, zipfile\nsys.stdout.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]).decode())';
  return execFileSync(PYTHON, ['-c', read, wheel, name], { encoding: 'utf8' });
}

test('two wheels, their sdists and a tarball for npm; the same sources make the same bytes', async () => {
  const first = await packages();
  const again = path.join(temporaryFolder(), 'again');
  await makePackages(again);
  const { version } = manifest;
  expect(Object.keys(digests(first))).toEqual([
    `cowherd-${version}.tgz`,
    `cowherd_agent-${version}-py3-none-any.whl`,
    `cowherd_agent-${version}.tar.gz`,
    `cowherd_server-${version}-py3-none-any.whl`,
    `cowherd_server-${version}.tar.gz`,
  ]);
  expect(digests(again)).toEqual(digests(first));
});

test('no package is large, and none has tests, caches or paths of the machine that made it', async () => {
  const folder = await packages();
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    expect(statSync(file).size / 2 ** 20, name).toBeLessThan(LARGEST_MIB);
    const inside = contents(file);
    expect(
      inside.filter((each) => /__pycache__|\/tests\/|\.pyc$|\.sqlite3$|node_modules/.test(each)),
      name,
    ).toEqual([]);
  }
  const unpacked = temporaryFolder();
  const unpack = 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])';
  execFileSync(PYTHON, ['-c', unpack, await packageFile(/^cowherd_server.*whl$/), unpacked]);
  const found = spawnSync('grep', ['--recursive', '--files-with-matches', '--fixed-strings', `${ROOT}/`, unpacked]);
  expect(String(found.stdout)).toBe('');
});

test('the wheel names every bundled library with its licence, and has a bill of materials', async () => {
  const wheel = await packageFile(/^cowherd_server.*whl$/);
  const names = contents(wheel);
  const licences = textIn(wheel, names.find((name) => name.endsWith('THIRD-PARTY-LICENSES.txt')) ?? '');
  const bill = JSON.parse(
    textIn(wheel, names.find((name) => name.endsWith('.dist-info/sboms/sbom.cdx.json')) ?? ''),
  ) as {
    bomFormat: string;
    components: { name: string; version: string; licenses?: unknown[] }[];
  };
  expect(bill.bomFormat).toBe('CycloneDX');
  const listed = bill.components.map(({ name, version }) => `${name} ${version}`).sort();
  const texts = Array.from(licences.matchAll(/^={80}\n(\S+ \S+) \(/gm), ([, name = '']) => name).sort();
  expect(texts).toEqual(listed);
  const bundled = bill.components.map(({ name }) => name);
  expect(bundled).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies)));
});
