/** One server of one application: gunicorn or Cowherd, with the same arguments. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../bench/lib/free-port.ts';
import { type Answer, get } from '../../bench/lib/http.ts';
import { COWHERD } from '../../bench/lib/places.ts';
import {
  hasEnded,
  kill,
  markedProcesses,
  type ProcessIdentity,
  startProcess,
  treeOf,
} from '../../bench/lib/processes.ts';
import { readKernelFile } from '../../src/procfs/read.ts';
import { ask } from '../../src/supervisor/control/control.ts';
import { CONTROL_VERSION } from '../../src/supervisor/control/control-messages.ts';
import type { StatusReport } from '../../src/supervisor/control/status.ts';
import { FOLDER, type Package } from './list.ts';
import { isListening } from './services.ts';

export type ServerKind = 'gunicorn' | 'cowherd';

export interface Place {
  readonly package: Package;
  /** The virtual environment. */
  readonly environment: string;
  /** For logs, sockets, HOME and temporary files; of this server alone. */
  readonly scratch: string;
  readonly variables: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly status: number | null;
  readonly seconds: number;
  readonly left: readonly string[];
}

const WORKERS = 2;
const READY_WITHIN_MS = 180_000;
const STOPPED_WITHIN_MS = 90_000;
const ANSWERED_WITHIN_MS = 30_000;
const LOG_END_CHARACTERS = 3000;
const MARK = 'COWHERD_PACKAGE_RUN';
/** What a user's shell has, and no more: no setting of this run's reaches the application. */
const PASSED_ON = ['PATH', 'LANG', 'SSL_CERT_FILE'];

export class Server {
  readonly port: number;
  readonly #kind: ServerKind;
  readonly #place: Place;
  readonly #root: number;
  readonly #mark = `${MARK}=${randomUUID()}`;
  readonly #status: Promise<number | null>;
  /** From the command until every worker was there. */
  secondsToServe = NaN;
  #hasEnded = false;

  private constructor(kind: ServerKind, place: Place, port: number) {
    this.#kind = kind;
    this.#place = place;
    this.port = port;
    for (const folder of [this.#home, this.#temporary]) mkdirSync(folder, { recursive: true });
    const [name, mark = ''] = this.#mark.split('=');
    const [command, args] = this.#command();
    const { child, pid } = startProcess(command, args, {
      cwd: FOLDER,
      log: this.logFile,
      environment: { ...place.variables, ...place.package.environment, ...this.#variables(), [name ?? '']: mark },
      passOn: PASSED_ON,
    });
    this.#root = pid;
    this.#status = new Promise((resolve) => {
      child.on('exit', (status) => {
        this.#hasEnded = true;
        resolve(status);
      });
    });
  }

  /** Null where it does not answer: then its log says why, and none of its processes is left. */
  static async start(kind: ServerKind, place: Place): Promise<Server | null> {
    mkdirSync(place.scratch, { recursive: true });
    const server = new Server(kind, place, await freePort());
    const started = performance.now();
    while (!(await server.#isReady())) {
      if (server.#hasEnded || performance.now() - started > READY_WITHIN_MS) {
        await server.kill();
        return null;
      }
      await sleep(50);
    }
    server.secondsToServe = (performance.now() - started) / 1000;
    return server;
  }

  get logFile(): string {
    return path.join(this.#place.scratch, `${this.#kind}.log`);
  }

  get log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  static endOfLog(kind: ServerKind, { scratch }: Place): string {
    return readFileSync(path.join(scratch, `${kind}.log`), 'utf8').slice(-LOG_END_CHARACTERS);
  }

  /** Rejects where the connection fails. */
  async ask(request: string): Promise<Answer> {
    return await get(this.port, request, ANSWERED_WITHIN_MS);
  }

  async report(): Promise<StatusReport | null> {
    try {
      const reply = await ask(this.#runtimeDirectory, { type: 'status', version: CONTROL_VERSION });
      return reply.type === 'status' ? reply.report : null;
    } catch {
      return null;
    }
  }

  /** Runs `cowherd reload`, `refork` or `stop` as a person would. Null where it went well, else what it said. */
  async command(name: 'reload' | 'refork' | 'stop'): Promise<string | null> {
    const args = [COWHERD, name, '--runtime-dir', this.#runtimeDirectory];
    return await new Promise((resolve) => {
      execFile(process.execPath, args, { timeout: READY_WITHIN_MS }, (error, stdout, stderr) => {
        const said = /^Error .*$/m.exec(stderr)?.[0] ?? `${stdout}${stderr}`.trim();
        resolve(error === null ? null : said || error.message);
      });
    });
  }

  async stop(): Promise<Ended> {
    const processes = this.#processes();
    const started = performance.now();
    const said = this.#kind === 'cowherd' ? await this.command('stop') : null;
    if (this.#kind === 'gunicorn') kill(this.#root, 'SIGTERM');
    const status = await Promise.race([this.#status, sleep(STOPPED_WITHIN_MS, null, { ref: false })]);
    const seconds = (performance.now() - started) / 1000;
    const left = [...processes, ...this.#processes()].filter((each) => !hasEnded(each));
    const found = [
      ...(said === null ? [] : [said]),
      ...new Set(left.map(({ pid }) => `process ${commandLineOf(pid)}`)),
      ...(existsSync(this.#runtimeDirectory) ? ['runtime directory'] : []),
      ...((await isListening(this.port)) ? ['a listener'] : []),
    ];
    await this.kill();
    return { status, seconds, left: found };
  }

  /** Names in the folder for temporary files; what both servers leave there is the application's own doing. */
  temporaryFiles(): string[] {
    return readdirSync(this.#temporary);
  }

  /** Ends every process at once. */
  async kill(): Promise<void> {
    for (let pass = 0; pass < 20; pass += 1) {
      const left = this.#processes().filter((each) => !hasEnded(each));
      if (left.length === 0) return;
      for (const { pid } of left) kill(pid, 'SIGKILL');
      await sleep(20);
    }
  }

  /** By their environment, and by their parents: a process may have written its title over its environment. */
  #processes(): ProcessIdentity[] {
    return [...treeOf(this.#root), ...markedProcesses(this.#mark)];
  }

  async #isReady(): Promise<boolean> {
    if (this.#kind === 'cowherd') {
      const report = await this.report();
      return report !== null && report.herd.workers_ready === WORKERS;
    }
    // Gunicorn listens only once the application is loaded.
    return await isListening(this.port);
  }

  get #home(): string {
    return path.join(this.#place.scratch, 'home');
  }

  get #temporary(): string {
    return path.join(this.#place.scratch, 'tmp');
  }

  get #runtimeDirectory(): string {
    return path.join(this.#place.scratch, 'run');
  }

  #variables(): Record<string, string> {
    return {
      HOME: this.#home,
      TMPDIR: this.#temporary,
      XDG_RUNTIME_DIR: this.#place.scratch,
      XDG_STATE_HOME: path.join(this.#place.scratch, 'state'),
      COWHERD_USE: this.#place.package.use,
      COWHERD_SCRATCH: this.#home,
      PYTHONHASHSEED: '0',
    };
  }

  #command(): [string, string[]] {
    const { package: package_, environment } = this.#place;
    const common = ['application:app', '--bind', `127.0.0.1:${this.port}`, '--workers', String(WORKERS)];
    common.push('--worker-class', package_.worker, '--timeout', '120');
    if (package_.worker === 'gthread') common.push('--threads', '4');
    const python = path.join(environment, 'bin', 'python');
    return this.#kind === 'gunicorn'
      ? [path.join(environment, 'bin', 'gunicorn'), [...common, '--preload', '--no-control-socket']]
      : [process.execPath, [COWHERD, 'serve', ...common, '--python', python, '--runtime-dir', this.#runtimeDirectory]];
  }
}

function commandLineOf(pid: number): string {
  return (readKernelFile(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim().slice(0, 120);
}
