/** The samples for systemd and Kubernetes: each line is explained, and each explained line exists. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runCommand } from '../src/cli/commands.ts';
import { parseServeArguments } from '../src/cli/serve/serve-arguments.ts';

const root = path.resolve(import.meta.dirname, '..');
const read = (name: string): string => readFileSync(path.join(root, name), 'utf8');
const service = read('examples/systemd/cowherd.service');
const socket = read('examples/systemd/cowherd.socket');
const deployment = read('examples/kubernetes/deployment.yaml');

/** Keys that need no explanation. */
const PLAIN = new Set(['Description', 'Wants', 'After', 'WantedBy']);

const keysOf = (unit: string): string[] => [...unit.matchAll(/^([A-Za-z]+)=/gm)].map(([, key = '']) => key);

test('docs/systemd.md explains the lines of both units, and no others', () => {
  const page = read('docs/systemd.md');
  const tables = [...page.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([A-Z][A-Za-z]+)=/g)].map(([, key = '']) => key),
  );
  const explained = new Set(tables.filter((key) => !/^[A-Z]+$/.test(key)));
  const used = new Set([...keysOf(service), ...keysOf(socket)].filter((key) => !PLAIN.has(key)));
  expect([...explained].toSorted()).toEqual([...used].toSorted());
});

test('the units call commands that there are', async () => {
  const words = (key: string): string[] =>
    new RegExp(`^${key}=/srv/shop/.venv/bin/cowherd (.*)$`, 'm').exec(service)?.[1]?.split(' ') ?? [];
  const [serve, ...rest] = words('ExecStart');
  expect(serve).toBe('serve');
  expect(parseServeArguments(rest)).toMatchObject({
    runtimeDirectory: '%t/cowherd',
    rest: ['shop.wsgi', '--workers', '8'],
  });
  // The reloaded herd is the one that is served. None runs there, so the command fails.
  expect(words('ExecReload')).toEqual(['reload', '--runtime-dir', '%t/cowherd']);
  await expect(runCommand(words('ExecReload'))).rejects.toMatchObject({ code: 'NOT_RUNNING' });
});

test("the deployment's probes call commands that there are, of the herd that it serves", async () => {
  // The entry point of the image that it runs.
  const image = read('packaging/container/Containerfile');
  const directory = /^ENTRYPOINT .*"--runtime-dir", "([^"]+)"/m.exec(image)?.[1] ?? '';
  expect(image).toContain(`"status", "--ready", "--runtime-dir", "${directory}"]`);
  const args = /^ {10}args: \[(.*)\]$/m.exec(deployment)?.[1] ?? '';
  expect(parseServeArguments(args.replaceAll("'", '').split(', ')).rest[0]).toBe('shop.wsgi');
  const probes = [...deployment.matchAll(/exec: \{command: \[cowherd, (.*)\]\}/g)].map(([, words = '']) =>
    words.split(', '),
  );
  expect(probes.length).toBe(3);
  for (const words of probes) {
    expect(words.slice(-2)).toEqual(['--runtime-dir', directory]);
    // No herd serves there; it only matters that the command line is understood.
    const told = await runCommand(words).catch((error: { code: string }) => error.code);
    expect([1, 'NOT_RUNNING'], words.join(' ')).toContain(told);
  }
});
