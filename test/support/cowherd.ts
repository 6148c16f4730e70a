/** Starts `./bin/cowherd` as a person would, in a folder of its own, and looks at all that it does. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, expect } from 'vitest';
import { ask } from '../../src/supervisor/control/control.ts';
import { CONTROL_VERSION } from '../../src/supervisor/control/control-messages.ts';
import type { StatusReport } from '../../src/supervisor/control/status.ts';
import { fetchFrom, isListening, type Address, type Answer, type RequestOptions } from './http.ts';
import { kill, MARK, markedProcesses, type ProcessInfo } from './processes.ts';
import { until } from './until.ts';

export const ROOT = path.resolve(import.meta.dirname, '..', '..');
export const COWHERD = path.join(ROOT, 'bin', 'cowherd');
/** The interpreter with the applications' packages, which `make install` makes. */
export const PYTHON = path.join(ROOT, '.venv', 'bin', 'python');
export const APPS = path.join(ROOT, 'test', 'apps');

export interface Ending {
  status: number | null;
  signal: NodeJS.Signals | null;
}

/** One line of the log, where stderr is no terminal. */
export interface LogLine {
  level: string;
  time: string;
  pid: number;
  logger: string;
  msg: string;
}

export interface StartOptions {
  /** Files to put into the folder first, by name; the application and gunicorn.conf.py, say. */
  files?: Readonly<Record<string, string>>;
  env?: Readonly<Record<string, string>>;
  /** The folder to start in; by default the run's own. */
  cwd?: string;
  /** `null`: let Cowherd choose the interpreter. */
  python?: string | null;
  /** `null`: let Cowherd choose the runtime directory. */
  runtimeDirectory?: string | null;
  /** Another installation's `bin/cowherd`. */
  command?: string;
  /** Another command in front, such as prlimit. */
  prefix?: readonly string[];
  /** With a terminal of its own, of util-linux's script(1): all output is then in `stdout`. */
  terminal?: boolean;
}

const LAST_OUTPUT_MS = 500;

const started: Run[] = [];

/** One run of the command `cowherd`. */
export class Run {
  readonly folder: string;
  readonly mark: string;
  readonly runtimeDirectory: string;
  readonly process: ChildProcess;
  readonly ended: Promise<Ending>;
  stdout = '';
  stderr = '';
  ending: Ending | null = null;
  readonly #env: NodeJS.ProcessEnv;

  constructor(args: readonly string[], options: StartOptions, folder: string) {
    this.folder = folder;
    this.mark = randomUUID();
    this.runtimeDirectory = options.runtimeDirectory ?? path.join(folder, 'run');
    this.#env = { ...cleanEnvironment(folder), ...options.env, [MARK]: this.mark };
    const words = [...(options.prefix ?? []), process.execPath, options.command ?? COWHERD, ...args];
    const inTerminal = [
      'script',
      '--quiet',
      '--return',
      '--flush',
      '--command',
      // exec: a shell in between would take part in a Ctrl-C.
      `exec ${words.map(quoted).join(' ')}`,
      '/dev/null',
    ];
    const [command = '', ...rest] = options.terminal === true ? inTerminal : words;
    this.process = spawn(command, rest, {
      cwd: options.cwd ?? folder,
      env: this.#env,
      stdio: [options.terminal === true ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    });
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => {
      const end = (status: number | null, signal: NodeJS.Signals | null): void => {
        this.ending ??= { status, signal };
        resolve(this.ending);
      };
      // 'close' comes after the last output, but not before the last process that may write has gone: one that was
      // left behind must be found, and not be waited for.
      this.process.on('close', end);
      this.process.on('exit', (status, signal) => setTimeout(end, LAST_OUTPUT_MS, status, signal));
    });
    started.push(this);
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** The lines of the log that are JSON, the supervisor's and the workers'. */
  get log(): LogLine[] {
    return this.stderr.split('\n').flatMap((line) => {
      try {
        const parsed: unknown = JSON.parse(line);
        return typeof parsed === 'object' && parsed !== null && 'msg' in parsed ? [parsed as LogLine] : [];
      } catch {
        return [];
      }
    });
  }

  get messages(): string[] {
    return this.log.map((line) => line.msg);
  }

  /** The addresses that the log names, in the order of the settings. */
  get addresses(): Address[] {
    const line = /Listening at: ([^"\r\n]+)/.exec(this.stdout + this.stderr)?.[1];
    return line?.trim().split(', ') ?? [];
  }

  get address(): Address {
    const [first] = this.addresses;
    if (first === undefined) throw new Error(`it does not listen:\n${this.stderr}`);
    return first;
  }

  get processes(): ProcessInfo[] {
    return markedProcesses(this.mark);
  }

  get(pathname: string, options: RequestOptions = {}): Promise<Answer> {
    return fetchFrom(this.address, pathname, options);
  }

  async waitForText(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray> {
    return await until(
      () => `${String(pattern)} in:\n${this.stdout}${this.stderr}`,
      () => {
        const match = pattern.exec(this.stdout + this.stderr);
        if (match === null && this.ending !== null) {
          throw new Error(`it ended (${JSON.stringify(this.ending)}) without ${String(pattern)}:\n${this.stderr}`);
        }
        return match;
      },
      timeoutMs,
    );
  }

  async waitUntilServing(): Promise<void> {
    await this.waitForText(/Serving: every worker is ready/);
  }

  /** What `cowherd status --json` prints, asked for without starting a process. */
  async status(): Promise<StatusReport> {
    const reply = await ask(this.runtimeDirectory, { type: 'status', version: CONTROL_VERSION });
    if (reply.type !== 'status') throw new Error(JSON.stringify(reply));
    return reply.report;
  }

  /** Another command, such as `status`, in the same folder. It must succeed. */
  async command(...args: string[]): Promise<Run> {
    const run = new Run(args, { env: this.#env as Record<string, string> }, this.folder);
    expect(await run.ended, run.stderr).toEqual({ status: 0, signal: null });
    return run;
  }

  async workers(): Promise<StatusReport['workers']> {
    return (await this.status()).workers;
  }

  /** Presses keys, where it has a terminal. */
  type(keys: string): void {
    this.process.stdin?.write(keys);
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Stops it, and expects that it ends well and leaves nothing behind. */
  async stop(name: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.signal(name);
    expect(await this.ended, this.stderr).toEqual({ status: 0, signal: null });
    await this.expectNothingLeft();
  }

  /** No process, no runtime directory, no socket file, nobody who listens. Only once it has ended. */
  async expectNothingLeft(): Promise<void> {
    expect(this.ending).not.toBeNull();
    expect(this.processes).toEqual([]);
    expect(existsSync(this.runtimeDirectory) && statSync(this.runtimeDirectory).isDirectory()).toBe(false);
    expect(socketFiles(this.folder)).toEqual([]);
    for (const address of this.addresses) {
      expect(await isListening(address), address).toBe(false);
      if (address.startsWith('unix:')) expect(existsSync(address.slice('unix:'.length)), address).toBe(false);
    }
  }

  /** Takes away what a failed test has left. */
  async discard(): Promise<void> {
    const marked = markedProcesses(this.mark).map((info) => info.pid);
    kill(marked);
    if (this.ending === null) kill([this.pid]);
    await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

afterEach(async () => {
  for (const run of started.splice(0)) await run.discard();
});

/** Of this file's tests; those of runs are gone with them. */
const folders: string[] = [];

afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'cowherd-test-'));
  folders.push(folder);
  return folder;
}

/** For the shell that script(1) starts. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\\''`)}'`;
}

function socketFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isSocket())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** Nothing of the caller's settings, of other test runs, or of a virtual environment that is active. */
function cleanEnvironment(folder: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    LANG: 'C.UTF-8',
    XDG_RUNTIME_DIR: folder,
    XDG_STATE_HOME: path.join(folder, 'state'),
  };
}

/** Runs `cowherd ARGS` in a folder of its own. */
export function cowherd(args: readonly string[], options: StartOptions = {}): Run {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(options.files ?? {})) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return new Run(args, options, folder);
}

/** Runs `cowherd serve ARGS` on a free port of 127.0.0.1, unless ARGS bind something. */
export function serve(args: readonly string[], options: StartOptions = {}): Run {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(options.files ?? {})) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const binds = args.some((arg) => arg === '-b' || arg.startsWith('--bind'));
  const python = options.python === undefined ? PYTHON : options.python;
  return new Run(
    [
      'serve',
      ...(python === null ? [] : ['--python', python]),
      ...(options.runtimeDirectory === null
        ? []
        : ['--runtime-dir', options.runtimeDirectory ?? path.join(folder, 'run')]),
      ...(binds ? [] : ['--bind', '127.0.0.1:0']),
      ...args,
    ],
    options,
    folder,
  );
}

/** `serve`, and wait until every worker is ready. */
export async function serving(args: readonly string[], options: StartOptions = {}): Promise<Run> {
  const run = serve(args, options);
  await run.waitUntilServing();
  return run;
}

/** The smallest WSGI application, for tests in which it is not about the application. */
export const HELLO = `
import os
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
`;
