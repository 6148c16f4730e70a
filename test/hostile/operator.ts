/** The user who runs the commands of Cowherd on the machine, and meets what others have put there. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ran } from './harm.ts';

/** For hangs. Every command has its own deadline except why, which gives way to all other processes. */
const WITHIN_MS = 300_000;
const LOOK_EVERY_MS = 10;
const LAST_OUTPUT_MS = 500;

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Runs the command in a new terminal. */
  readonly terminal?: boolean;
  /** Simulates a machine whose /run is not writable. */
  readonly withoutRun?: boolean;
  /** File for the log lines, instead of the output. */
  readonly log?: string;
}

export interface Served extends Ran {
  /** Whether every worker was ready. */
  readonly served: boolean;
}

export class Operator {
  readonly #cowherd: readonly string[];
  readonly #home: string;

  /** @param cowherd the first words of every command */
  constructor(cowherd: readonly string[], home: string) {
    this.#cowherd = cowherd;
    this.#home = home;
  }

  /** Runs a command to its end. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const command = new Command(this.#words(args, options), this.#home, options);
    const late = setTimeout(() => command.kill(), WITHIN_MS);
    await command.ended;
    clearTimeout(late);
    return command.ran;
  }

  /**
   * Starts a herd. Calls back once it serves, and ends it. A change of the number of workers makes the supervisor write
   * its notes.
   */
  async serve(
    args: readonly string[],
    options: RunOptions = {},
    whileServing: (pid: number) => Promise<void> | void = () => {},
  ): Promise<Served> {
    const command = new Command(this.#words(['serve', ...args], options), this.#home, options);
    const late = setTimeout(() => command.kill(), WITHIN_MS);
    const { log } = options;
    const isServing = (): boolean => {
      const text = log !== undefined && existsSync(log) ? readFileSync(log, 'utf8') : command.output;
      return text.includes('Serving: every worker is ready');
    };
    while (!command.hasEnded && !isServing()) await sleep(LOOK_EVERY_MS);
    if (!command.hasEnded) {
      command.signal('SIGTTIN');
      await sleep(200);
      await whileServing(command.pid);
      command.signal('SIGTERM');
      await command.ended;
    }
    clearTimeout(late);
    return { ...command.ran, served: isServing() };
  }

  #words(args: readonly string[], { terminal = false, withoutRun = false }: RunOptions): string[] {
    const words = [...this.#cowherd, ...args];
    if (terminal) {
      const line = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
      return ['script', '--quiet', '--return', '--flush', '--command', `exec ${line}`, '/dev/null'];
    }
    const script = 'mount -o remount,bind,ro /run && exec "$@"';
    return withoutRun ? ['unshare', '--mount', 'sh', '-c', script, 'sh', ...words] : words;
  }
}

/** A process, its whole output, and its peak memory. */
class Command {
  output = '';
  hasEnded = false;
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  #status: number | null = null;
  #peakBytes = 0;

  constructor([program = '', ...words]: readonly string[], home: string, { cwd = '/', env = {} }: RunOptions) {
    this.#child = spawn(program, words, {
      cwd,
      // A new process group, for kill(). A command in a terminal has its own session, which ends with the terminal.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', TERM: 'xterm', HOME: home, ...env },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    const watch = setInterval(() => {
      this.#peakBytes = Math.max(this.#peakBytes, peakOf(this.pid));
    }, LOOK_EVERY_MS);
    this.ended = new Promise((resolve) => {
      this.#child.on('exit', (status) => {
        this.#status = status;
        this.hasEnded = true;
        clearInterval(watch);
        // A process that it left behind may hold its pipes open.
        setTimeout(resolve, LAST_OUTPUT_MS);
      });
      this.#child.on('close', () => resolve());
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get ran(): Ran {
    return { status: this.#status, output: this.output, peakBytes: this.#peakBytes };
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Kills the command and what it has started: its process group. */
  kill(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // It has already ended.
    }
  }
}

/** Peak resident memory of a process, in bytes; 0 once it has ended. */
function peakOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
