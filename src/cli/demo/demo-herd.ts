/** A herd of the demo: the real `cowherd serve` in a separate process. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CowherdError } from '../../base/errors.ts';
import { COMMAND } from '../../base/installation.ts';
import type { StatusReport } from '../../supervisor/control/status.ts';
import { readStatus } from '../herd/read-status.ts';

export interface DemoHerdOptions {
  policy: 'auto' | 'stock';
  workers: number;
  python: string;
  /** The Django project's folder. */
  example: string;
  /** A temporary directory for runtime directories and logs. */
  folder: string;
  database: string;
}

/** The default budget would update too slowly for a demo; sampling is cheap beside the load. */
const SAMPLING_BUDGET_PERCENT = 10;

/** How long workers may finish requests before they are told to quit. */
const PATIENCE_MS = 1_000;

const DJANGO_ENVIRONMENT = { DJANGO_SETTINGS_MODULE: 'feed.settings' };

/**
 * Creates the demo's own database.
 *
 * @throws CowherdError NO_EXAMPLE with Django's message
 */
export async function prepareDatabase(python: string, example: string, path: string): Promise<void> {
  try {
    await promisify(execFile)(python, ['manage.py', 'prepare'], {
      cwd: example,
      env: { ...process.env, ...DJANGO_ENVIRONMENT, FEED_DATABASE: path },
    });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split('\n').at(-1) ?? String(error);
    throw new CowherdError('NO_EXAMPLE', { detail: said, cause: error });
  }
}

export class DemoHerd {
  readonly policy: string;
  readonly #child: ChildProcess;
  readonly #runtimeDirectory: string;
  readonly #logPath: string;
  readonly #wanted: number;
  #url: string | null = null;
  #exited = false;

  constructor(options: DemoHerdOptions) {
    this.policy = options.policy;
    this.#wanted = options.workers;
    this.#runtimeDirectory = join(options.folder, options.policy);
    this.#logPath = join(options.folder, `${options.policy}.log`);
    const log = openSync(this.#logPath, 'w', 0o600);
    this.#child = spawn(
      process.execPath,
      [
        COMMAND,
        'serve',
        'feed.wsgi',
        '--python',
        options.python,
        '--runtime-dir',
        this.#runtimeDirectory,
        '--log-format',
        'text',
        '--bind',
        '127.0.0.1:0',
        '--workers',
        String(options.workers),
        '--policy',
        options.policy,
        '--warmup',
        'GET /',
        '--sampling-budget',
        String(SAMPLING_BUDGET_PERCENT),
      ],
      {
        cwd: options.example,
        env: {
          ...process.env,
          ...DJANGO_ENVIRONMENT,
          FEED_DATABASE: options.database,
          XDG_STATE_HOME: options.folder,
        },
        // In a process group of its own, so that the demo can shut it down in order after a Ctrl-C.
        detached: true,
        stdio: ['ignore', log, log],
      },
    );
    closeSync(log);
    this.#child.once('exit', () => {
      this.#exited = true;
    });
  }

  get serving(): boolean {
    return this.#url !== null;
  }

  /** The address it listens on. Available only once it serves. */
  get url(): string {
    if (this.#url === null) throw new CowherdError('INTERNAL', { detail: 'the herd is not serving yet' });
    return this.#url;
  }

  /**
   * Checks whether it serves by now, and returns its phase in a word.
   *
   * @throws CowherdError MOLD_DIED with the end of the log if the server has ended
   */
  async look(): Promise<string> {
    if (this.#exited) {
      const log = readFileSync(this.#logPath, 'utf8').trim().split('\n');
      throw new CowherdError('MOLD_DIED', {
        detail: `the demo's ${this.policy} herd ended with: ${log.slice(-3).join(' | ')}`,
      });
    }
    const report = await this.#statusIfThere();
    const listener = report?.herd.listeners[0];
    if (report !== null && listener !== undefined && report.herd.workers_ready >= this.#wanted) {
      this.#url = listener;
    }
    return this.serving ? 'serving' : (report?.molds.at(-1)?.phase ?? 'starting');
  }

  async status(): Promise<StatusReport> {
    return await readStatus(this.#runtimeDirectory);
  }

  async stop(): Promise<void> {
    if (this.#exited) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    // The load's last responses don't matter.
    const hurry = setTimeout(() => this.#child.kill('SIGQUIT'), PATIENCE_MS);
    await exit;
    clearTimeout(hurry);
  }

  async #statusIfThere(): Promise<StatusReport | null> {
    try {
      return await this.status();
    } catch (error) {
      if (error instanceof CowherdError && error.code === 'NOT_RUNNING') return null;
      throw error;
    }
  }
}
