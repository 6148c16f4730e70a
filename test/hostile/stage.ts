/** The stage of the attacks: a herd of root with workers of nobody, its visitors, and the users of the machine. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../../src/supervisor/control/control.ts';
import { CONTROL_VERSION, type ControlReply } from '../../src/supervisor/control/control-messages.ts';
import type { StatusReport } from '../../src/supervisor/control/status.ts';
import { Decoys } from './decoys.ts';
import { Operator } from './operator.ts';
import { User } from './user.ts';
import { Visits } from './visits.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const WORKERS = 3;
const PORT = 18_080;
const METRICS_PORT = 18_081;
const SETTLE_MS = 30_000;
const NOBODY = '65534';
/** User ids without an account. */
const MALLORY = 23_457;
const ALICE = 23_458;

export interface Stage {
  readonly url: string;
  /** Of the metrics endpoint, at 127.0.0.1. */
  readonly metricsPort: number;
  /** The interpreter. */
  readonly python: string;
  /** A folder of root that others may read. */
  readonly folder: string;
  readonly runtimeDirectory: string;
  readonly decoys: Decoys;
  /** The attacker: an ordinary user of the machine. */
  readonly mallory: User;
  /** The herd's own user, root, who may write to its sockets. */
  readonly owner: User;
  readonly root: Operator;
  /** An ordinary user who serves herds. */
  readonly alice: Operator;
  readonly aliceHome: string;
  readonly aliceId: number;
  status(): Promise<StatusReport | null>;
  refork(): Promise<void>;
}

export class Theatre implements Stage {
  readonly url = `http://127.0.0.1:${PORT}/`;
  readonly metricsPort = METRICS_PORT;
  readonly python: string;
  readonly folder = mkdtempSync('/tmp/cowherd-hostile-');
  readonly runtimeDirectory = path.join(this.folder, 'run');
  readonly decoys = new Decoys(this.folder);
  readonly visits = new Visits(this.url);
  readonly mallory: User;
  readonly owner: User;
  readonly root: Operator;
  readonly alice: Operator;
  readonly aliceHome: string;
  readonly aliceId = ALICE;
  readonly #logFile = path.join(this.folder, 'log');
  readonly #server: ChildProcess;

  constructor(python: string) {
    this.python = python;
    chmodSync(this.folder, 0o755);
    for (const name of ['attacked.py', 'slow.py']) {
      copyFileSync(path.join(import.meta.dirname, name), path.join(this.folder, name));
    }
    this.mallory = new User('mallory', MALLORY, python);
    this.owner = new User('root', 0, python);
    this.aliceHome = new User('alice', ALICE, python).home;
    const cowherd = path.join(ROOT, 'bin', 'cowherd');
    this.root = new Operator([process.execPath, cowherd], this.owner.home);
    this.alice = new Operator(this.#asAlice(), this.aliceHome);

    const words = [
      'serve',
      'attacked:app',
      '--python',
      python,
      '--workers',
      `${WORKERS}`,
      '--bind',
      `127.0.0.1:${PORT}`,
      '--metrics',
      `127.0.0.1:${METRICS_PORT}`,
    ];
    const asNobody = ['--user', NOBODY, '--group', NOBODY, '--runtime-dir', this.runtimeDirectory];
    const log = openSync(this.#logFile, 'a');
    this.#server = spawn(process.execPath, [cowherd, ...words, ...asNobody], {
      cwd: this.folder,
      stdio: ['ignore', log, log],
      env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', HOME: this.owner.home },
    });
  }

  get log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  async status(): Promise<StatusReport | null> {
    try {
      const reply = await this.#control('status');
      return reply.type === 'status' ? reply.report : null;
    } catch {
      return null;
    }
  }

  async refork(): Promise<void> {
    await this.#control('refork');
  }

  /** Waits until the herd is full and nothing is under way; at the deadline, returns the last report as it is. */
  async settled(): Promise<StatusReport | null> {
    const deadline = performance.now() + SETTLE_MS;
    for (;;) {
      const report = await this.status();
      if (report !== null && isFull(report)) return report;
      if (performance.now() > deadline) return report;
      await sleep(50);
    }
  }

  async close(): Promise<void> {
    this.#server.kill('SIGTERM');
    const ended = new Promise((resolve) => this.#server.once('exit', resolve));
    await Promise.race([ended, sleep(SETTLE_MS)]);
    this.decoys.end();
  }

  async #control(type: 'status' | 'refork'): Promise<ControlReply> {
    return await ask(this.runtimeDirectory, { type, version: CONTROL_VERSION });
  }

  /** Mounts the checkout and Node where another user can reach them: both may be in the home of root. */
  #asAlice(): string[] {
    const checkout = path.join(this.folder, 'checkout');
    const node = path.join(this.folder, 'node');
    mkdirSync(checkout);
    writeFileSync(node, '');
    for (const [from, to] of [
      [ROOT, checkout],
      [process.execPath, node],
    ] as const) {
      const { stderr, status } = spawnSync('mount', ['--bind', from, to], { encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr);
    }
    const become = ['setpriv', `--reuid=${ALICE}`, `--regid=${ALICE}`, '--clear-groups', '--'];
    return [...become, node, path.join(checkout, 'bin', 'cowherd')];
  }
}

/** Whether no worker is missing and nothing is under way. */
export function isFull({ herd, workers }: StatusReport): boolean {
  const all = workers.filter(({ state }) => state === 'ready').length === workers.length;
  return herd.phase === 'serving' && herd.workers_ready === WORKERS && all && herd.rollout === null;
}
