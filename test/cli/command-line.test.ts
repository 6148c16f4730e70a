/** The command as it is run: the built one, in a process of its own. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { catalogue } from '../../src/base/error-catalogue.ts';
import type { SettingReport } from '../../src/cli/settings.ts';
import type { DoctorReport } from '../../src/cli/doctor/doctor-report.ts';
import { discover } from '../../src/cpython/discover.ts';

const root = path.resolve(import.meta.dirname, '../..');
const command = path.join(root, 'bin', 'cowherd');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-command-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function cowherd(
  args: string[],
  env: Record<string, string> = {},
): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], XDG_RUNTIME_DIR: folder, ...env },
  });
  return { status, stdout, stderr };
}

test('--help lists the commands, with examples', () => {
  for (const word of ['--help', '-h', 'help']) {
    const { status, stdout, stderr } = cowherd([word]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^Examples:$/m);
  }
});

test.each(['serve', 'demo', 'status', 'list', 'stop', 'settings', 'doctor'])(
  '%s is in the help, and has one of its own, with examples',
  (name) => {
    expect(cowherd(['--help']).stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
    const { status, stdout } = cowherd([name, '--help']);
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: cowherd ${name}`, 'm'));
    expect(stdout).toMatch(/^Examples:$/m);
  },
);

test("settings are those of serve's gunicorn, and the help of serve has each of Cowherd's own, and every signal", () => {
  const python = path.join(root, '.venv', 'bin', 'python');
  const listed = cowherd(['settings', '--json', '--python', python]);
  const { settings } = JSON.parse(listed.stdout) as { settings: SettingReport[] };
  const { stdout } = spawnSync(
    python,
    ['-c', 'from gunicorn.config import KNOWN_SETTINGS; print(*sorted(each.name for each in KNOWN_SETTINGS))'],
    { encoding: 'utf8' },
  );
  const own = settings.filter(({ section }) => section === 'Cowherd');
  const others = settings.filter(({ section }) => section !== 'Cowherd').map(({ name }) => name);
  expect(others.toSorted()).toEqual(stdout.trim().split(' '));
  const help = cowherd(['serve', '--help']).stdout;
  for (const option of own.flatMap(({ options }) => options.at(-1) ?? [])) expect(help).toContain(option);
  for (const name of ['TERM', 'QUIT', 'HUP', 'USR1', 'USR2', 'TTIN', 'TTOU']) expect(help).toContain(name);

  const some = cowherd(['settings', 'graceful-timeout', '--python', python]);
  expect(some.stdout).toMatch(/^Worker Processes\n {2}graceful_timeout {2}--graceful-timeout INT {2}default: 30\n/m);
  const none = cowherd(['settings', 'gracefull', '--python', python]);
  expect(none).toMatchObject({ status: catalogue.UNKNOWN_SETTING.exitStatus, stdout: '' });
  const broken = cowherd(['settings', '--python', python], { WEB_CONCURRENCY: 'abc' });
  expect(broken.stderr).toContain("WEB_CONCURRENCY must be a number of workers; it is 'abc'");
});

test('--version is that of the package', () => {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  expect(cowherd(['--version'])).toEqual({ status: 0, stdout: `cowherd ${version}\n`, stderr: '' });
});

test('a checkout that is not built says so, with a code', () => {
  const checkout = path.join(folder, 'checkout');
  cpSync(path.join(root, 'bin'), path.join(checkout, 'bin'), { recursive: true });
  writeFileSync(path.join(checkout, 'package.json'), '{ "type": "module" }');
  const { status, stderr } = spawnSync(path.join(checkout, 'bin', 'cowherd'), ['status'], { encoding: 'utf8' });
  const { exitStatus, title, advice } = catalogue.NOT_BUILT;
  expect({ status, stderr }).toEqual({ status: exitStatus, stderr: `Error NOT_BUILT: ${title}.\n${advice}\n` });
  rmSync(checkout, { recursive: true });
});

test('without a command the help goes to stderr, and it is a usage error', () => {
  const { status, stdout, stderr } = cowherd([]);
  expect({ status, stdout }).toEqual({ status: catalogue.USAGE.exitStatus, stdout: '' });
  expect(stderr).toMatch(/^Usage:/);
});

test.each([
  [['statsu'], "unknown command 'statsu' (Did you mean status?)"],
  [['status', '--jsno'], "unknown option '--jsno' (Did you mean --json?)"],
  [['stop', 'all'], 'too many arguments'],
  [['stop', '--timeout', 'x'], "'x' cannot be the value of --timeout <seconds>: it must be a number above 0."],
  [['scale', 'many'], "'many' cannot be workers: it must be a whole number above 0."],
  [['why', 'abc'], "'abc' cannot be pid: it must be a whole number above 0."],
])('%j is a usage error', (args, text) => {
  const { status, stdout, stderr } = cowherd(args);
  expect({ status, stdout }).toEqual({ status: catalogue.USAGE.exitStatus, stdout: '' });
  expect(stderr).toContain(text);
});

test('colours only on a terminal, unless forced, and never with NO_COLOR', () => {
  const escape = '\u001B[';
  expect(cowherd(['statsu']).stderr).not.toContain(escape);
  expect(cowherd(['statsu'], { FORCE_COLOR: '1' }).stderr).toContain(escape);
  expect(cowherd(['statsu'], { FORCE_COLOR: '1', NO_COLOR: '1' }).stderr).not.toContain(escape);
});

test('whoever stops reading ends the command quietly', () => {
  const { stderr, status } = spawnSync('sh', ['-c', `"$0" doctor | true`, command], { cwd: folder, encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
});

test.each([['doctor'], ['doctor --json'], ['list'], ['--help'], ['status --help']])(
  'output that has nowhere to go is an error, and no stack: %s',
  (words) => {
    const run = (redirected: string) =>
      spawnSync('sh', ['-c', `"$0" ${words} ${redirected}`, command], {
        cwd: folder,
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], HOME: process.env['HOME'], XDG_RUNTIME_DIR: folder },
      });
    const { exitStatus, title, advice } = catalogue.OUTPUT_FAILED;
    const { stderr, status } = run('> /dev/full');
    expect({ stderr, status }).toEqual({
      stderr: `Error OUTPUT_FAILED: ${title}: standard output (ENOSPC).\n${advice}\n`,
      status: exitStatus,
    });
    // With both gone the status is what is left.
    expect(run('> /dev/full 2> /dev/full').status).toBe(exitStatus);
  },
);

test('doctor --json is the documented format', async () => {
  const [best] = await discover(process.env);
  const { stdout } = cowherd(['doctor', '--json', '--python', best!.path]);
  const report = JSON.parse(stdout) as DoctorReport;
  expect(report.version).toBe(1);
  expect(report.project.interpreter?.path).toBe(best!.path);
  expect(report.project.why).toBe('from --python');
  expect(report.interpreters.map((interpreter) => interpreter.path)).toContain(best!.path);
  const documented = readFileSync(path.join(root, 'docs/doctor.md'), 'utf8');
  const named = [
    ...Object.keys(report),
    ...Object.keys(report.machine),
    ...Object.keys(report.project),
    ...Object.keys(report.interpreters[0]!),
    ...Object.keys(report.checks[0]!),
    ...report.checks.map((check) => check.name),
  ];
  for (const name of named) expect(documented).toContain(`\`${name}\``);
});

test("doctor's exit status is that with which serve would end", () => {
  const missing = cowherd(['doctor', '--python', 'missing/python']);
  expect(missing.status).toBe(catalogue.PYTHON_NOT_FOUND.exitStatus);
  expect(missing.stdout).toContain('In the way of serving');
  const unusable = cowherd(['doctor', '--python', '/bin/true']);
  expect(unusable.status).toBe(catalogue.PYTHON_NOT_FOUND.exitStatus);
});

test('doctor finds a runtime directory that cannot be used, and leaves nothing in one that can', () => {
  const long = cowherd(['doctor', '--json'], { XDG_RUNTIME_DIR: path.join(folder, 'x'.repeat(120)) });
  const report = JSON.parse(long.stdout) as DoctorReport;
  expect(report.problems.map(({ code }) => code)).toContain('RUNTIME_DIRECTORY_TOO_LONG');
  expect(report.checks.find(({ name }) => name === 'runtime_directory')?.state).toBe('missing');
  cowherd(['doctor']);
  expect(spawnSync('ls', ['-A', folder], { encoding: 'utf8' }).stdout).toBe('');
});
