/**
 * Runs a command in a fresh clone of the checkout, as on a machine with one given Python only.
 *
 * HOME is empty, PATH is short, /tmp is new, and every other interpreter is out of reach: in a mount namespace the home
 * folder, pyenv's folder and each interpreter in the system's folders are covered. Processes that the command leaves
 * running are ended, and count as a failure.
 */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Mounts, mountScript } from './mounts.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** A user id without an account; the namespace gives it a name. */
const ORDINARY_ID = 23_456;
const GRACE_MS = 5000;

export interface Run {
  /** A path that starts the interpreter. */
  readonly python: string;
  /** Whether a caller who is root runs it as an ordinary user. Other callers stay the same user. */
  readonly ordinary: boolean;
  readonly command: readonly string[];
}

interface Result {
  readonly status: number;
  /** The command's standard output. */
  readonly output: string;
  readonly leftBehind: readonly string[];
}

export async function runWithOnlyPython({ python, ordinary, command }: Run): Promise<Result> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'cowherd-only-'));
  const isRoot = process.getuid?.() === 0;
  try {
    chmodSync(scratch, 0o755);
    const mounts = layOut(scratch, python, isRoot && ordinary);
    const script = path.join(scratch, 'inside.sh');
    writeFileSync(script, mountScript(mounts));
    const namespace = isRoot ? ['--mount'] : ['--user', '--map-root-user', '--mount'];
    const { status, output } = await stream('unshare', [
      ...namespace,
      'sh',
      script,
      ...becoming(isRoot, ordinary),
      'env',
      '-i',
      ...environment(mounts.programs),
      ...command,
    ]);
    const leftBehind = await endWhatIsLeft(readFileSync(path.join(scratch, 'namespace'), 'utf8').trim());
    return { status, output, leftBehind };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

interface Layout extends Mounts {
  /** The interpreter's own folder, for PATH: a relocated interpreter is found only by its own path. */
  readonly programs: string;
}

/** Makes the folder that becomes /tmp, with the clone, HOME and the first folder of PATH. Returns the mounts. */
function layOut(scratch: string, python: string, asOrdinary: boolean): Layout {
  const tmp = path.join(scratch, 'tmp');
  for (const name of ['home', 'bin', '.kept']) mkdirSync(path.join(tmp, name), { recursive: true });
  chmodSync(tmp, 0o1777);
  clone(path.join(tmp, 'cowherd'));

  const about = 'import os, sys; print(os.path.realpath(sys.executable), sys.base_prefix)';
  const [program = '', prefix = ''] = run(python, '-I', '-c', about).split(' ');
  const node = realpathSync(process.execPath);
  if (path.dirname(node) !== '/usr/bin') {
    for (const name of ['node', 'npm', 'npx']) {
      symlinkSync(path.join(path.dirname(node), name), path.join(tmp, 'bin', name));
    }
  }
  const system = new Set([realpathSync('/usr'), '/usr/local']);
  const accounts = asOrdinary ? writeAccounts(tmp) : [];
  return {
    scratch,
    covered: [homedir(), process.env['PYENV_ROOT'] ?? ''].filter((folder) => path.isAbsolute(folder)),
    kept: [prefix, path.dirname(path.dirname(node))].filter((folder) => !system.has(realpathSync(folder))),
    hidden: systemPythons().filter((file) => file !== program),
    accounts,
    programs: path.dirname(program),
  };
}

/** Clones the checkout, including changes that are not committed. */
function clone(into: string): void {
  const git = (...args: string[]): string[] =>
    run('git', '-C', ROOT, ...args)
      .split('\0')
      .filter((name) => name !== '');
  run('git', 'clone', '--quiet', '--no-hardlinks', ROOT, into);
  const deleted = new Set(git('ls-files', '-z', '--deleted'));
  const changed = git('ls-files', '-z', '--modified', '--others', '--exclude-standard', '--deduplicate');
  for (const name of deleted) rmSync(path.join(into, name), { force: true });
  for (const name of changed) {
    if (!deleted.has(name)) run('cp', '--parents', '--no-dereference', '--preserve=mode', '--', name, into);
  }
}

/** The interpreters in the system's folders, each by its real path. */
function systemPythons(): string[] {
  const found = ['/usr/local/bin', '/usr/bin', '/bin'].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => /^(python|python2|python2\.\d+|python3|python3\.\d+t?|pypy[\d.]*)$/.test(name))
      .flatMap((name) => {
        try {
          return [realpathSync(path.join(folder, name))];
        } catch {
          return [];
        }
      }),
  );
  return [...new Set(found)];
}

/** Writes the account files with one more user, who owns the clone and HOME. */
function writeAccounts(tmp: string): string[] {
  const id = ORDINARY_ID;
  for (const [file, line] of [
    ['/etc/passwd', `ordinary:x:${id}:${id}::/tmp/home:/bin/sh`],
    ['/etc/group', `ordinary:x:${id}:`],
  ] as const) {
    writeFileSync(path.join(tmp, '.kept', path.basename(file)), `${readFileSync(file, 'utf8').trimEnd()}\n${line}\n`);
  }
  run('chown', '-R', `${id}:${id}`, path.join(tmp, 'home'), path.join(tmp, 'cowherd'));
  return ['/etc/passwd', '/etc/group'];
}

/** The command that switches to the user who runs the tests. */
function becoming(isRoot: boolean, ordinary: boolean): string[] {
  if (!isRoot)
    return ['unshare', '--user', `--map-user=${process.getuid?.()}`, `--map-group=${process.getgid?.()}`, '--'];
  return ordinary ? ['setpriv', `--reuid=${ORDINARY_ID}`, `--regid=${ORDINARY_ID}`, '--clear-groups', '--'] : [];
}

/** The variables of a login shell, and those needed to reach the package registries. */
function environment(programs: string): string[] {
  const passedOn =
    /^(CI|TERM|LANG|NO_COLOR|COWHERD_\w+|PIP_\w+|npm_config_(registry|cafile)|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+|\w+_proxy)$/i;
  const theirs = Object.entries(process.env).flatMap(([name, value]) =>
    passedOn.test(name) && value !== undefined ? [`${name}=${value}`] : [],
  );
  return [
    ...theirs,
    'HOME=/tmp/home',
    `PATH=/tmp/bin:${programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    'PWD=/tmp/cowherd',
  ];
}

function stream(command: string, args: readonly string[]): Promise<{ status: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: '/' });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      process.stdout.write(text);
    });
    // Ctrl-C reaches the command too, so this process only waits for its end and cleans up.
    const wait = (): void => {};
    const endCommand = (): void => void child.kill('SIGTERM');
    process.on('SIGINT', wait).on('SIGTERM', endCommand);
    child.on('error', reject);
    // A leftover process may hold the pipe open.
    child.on('exit', () => setTimeout(() => child.stdout.destroy(), 500).unref());
    child.on('close', (code, signal) => {
      process.off('SIGINT', wait).off('SIGTERM', endCommand);
      resolve({ status: signal === null ? (code ?? 1) : 1, output });
    });
  });
}

/** Ends the processes that are still in the mount namespace after a while, and returns their command lines. */
async function endWhatIsLeft(namespace: string): Promise<string[]> {
  const deadline = performance.now() + GRACE_MS;
  let left = inNamespace(namespace);
  while (left.length > 0 && performance.now() < deadline) {
    await sleep(100);
    left = inNamespace(namespace);
  }
  return left.map((pid) => {
    let command = '';
    try {
      command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has already ended.
    }
    return `${pid} ${command}`;
  });
}

function inNamespace(namespace: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/ns/mnt`) === namespace;
      } catch {
        return false;
      }
    });
}

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', cwd: ROOT, maxBuffer: 64 * 1024 * 1024 }).trim();
}
