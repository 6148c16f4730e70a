/** A server that runs: started, told to reload and refork, and stopped. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../bench/lib/free-port.ts';
import {
  childrenOf,
  hasEnded,
  identify,
  kill,
  type ProcessIdentity,
  startProcess,
  treeOf,
} from '../../../bench/lib/processes.ts';
import { CowherdError } from '../../../src/base/errors.ts';
import { monotonicClock } from '../../../src/base/clock.ts';
import { ask } from '../../../src/supervisor/control/control.ts';
import { CONTROL_VERSION } from '../../../src/supervisor/control/control-messages.ts';
import type { StatusReport } from '../../../src/supervisor/control/status.ts';
import type { Case } from './cases.ts';
import { commandOf, runtimeDirectoryOf, type ServerName, WORKERS } from './commands.ts';
import { APPLICATIONS, program } from './places.ts';
import { until } from './until.ts';

const READY_WITHIN_MS = 120_000;
const ROLLED_OUT_WITHIN_MS = 240_000;
/** Workers that hang are given gunicorn's 30 seconds. */
const STOPPED_WITHIN_MS = 60_000;

export class Serving {
  readonly port: number;
  readonly #server: ServerName;
  readonly #folder: string;
  readonly #root: ProcessIdentity;

  private constructor(server: ServerName, folder: string, port: number, root: ProcessIdentity) {
    this.#server = server;
    this.#folder = folder;
    this.port = port;
    this.#root = root;
  }

  /** Returns when all workers are there. */
  static async start(
    server: ServerName,
    tried: Case,
    folder: string,
    environment: Readonly<Record<string, string>>,
  ): Promise<Serving> {
    const port = await freePort();
    const [command, ...args] = commandOf(server, tried, { port, folder });
    const { pid } = startProcess(command, args, {
      cwd: APPLICATIONS,
      log: logIn(folder),
      environment: {
        // The history of its restarts goes with the folder.
        XDG_STATE_HOME: path.join(folder, 'state'),
        PATH: `${path.dirname(program('python'))}:${process.env['PATH'] ?? ''}`,
        PYTHONDONTWRITEBYTECODE: '1',
        ...environment,
      },
    });
    const root = identify(pid);
    if (root === null) throw new Error(`${command} has ended at once`);
    const serving = new Serving(server, folder, port, root);
    await until('every worker is ready', READY_WITHIN_MS, async () => {
      if (hasEnded(root)) throw new Error(`${server} has ended; the end of its log: ${serving.log.slice(-500)}`);
      return (await serving.#isReady()) ? true : null;
    });
    return serving;
  }

  get log(): string {
    return readFileSync(logIn(this.#folder), 'utf8');
  }

  /** Cowherd's reload or refork: returns when there are only workers of the new generation. Throws where it fails. */
  async rollOut(kind: 'reload' | 'refork'): Promise<void> {
    const reply = await ask(this.#runtimeDirectory, { type: kind, version: CONTROL_VERSION });
    if (reply.type !== 'answered' || reply.generation === null) throw new Error(JSON.stringify(reply));
    const { generation } = reply;
    await until(`only workers of generation ${generation}`, ROLLED_OUT_WITHIN_MS, async () => {
      const report = await this.#status();
      const last = report?.herd.last_rollout;
      if (report === null || last?.to !== generation) return null;
      if (last.failure !== null) throw new Error(last.failure);
      return report.workers.every((worker) => worker.generation === generation) ? true : null;
    });
  }

  /** SIGTERM, and waits for the last process. Throws if one has to be killed. */
  async stop(): Promise<void> {
    const left = treeOf(this.#root.pid);
    kill(this.#root.pid, 'SIGTERM');
    const deadline = monotonicClock.now() + STOPPED_WITHIN_MS;
    while (!left.every(hasEnded) && monotonicClock.now() < deadline) await sleep(10);
    const late = left.filter((each) => !hasEnded(each));
    for (const { pid } of late) kill(pid, 'SIGKILL');
    if (late.length > 0) throw new Error(`${late.length} processes had not ended ${STOPPED_WITHIN_MS / 1000} s later`);
  }

  get #runtimeDirectory(): string {
    return runtimeDirectoryOf(this.#folder);
  }

  async #isReady(): Promise<boolean> {
    if (this.#server === 'gunicorn') return childrenOf(this.#root.pid).length === WORKERS;
    const herd = (await this.#status())?.herd;
    return herd?.phase === 'serving' && herd.workers_ready === WORKERS;
  }

  /** Null while its supervisor does not listen yet. */
  async #status(): Promise<StatusReport | null> {
    try {
      const reply = await ask(this.#runtimeDirectory, { type: 'status', version: CONTROL_VERSION });
      return reply.type === 'status' ? reply.report : null;
    } catch (error) {
      if (error instanceof CowherdError) return null;
      throw error;
    }
  }
}

const logIn = (folder: string): string => path.join(folder, 'log');
