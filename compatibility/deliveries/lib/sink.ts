/** The sink that deliveries arrive at, and what has arrived. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { freePort } from '../../../bench/lib/free-port.ts';
import { hasEnded, identify, kill, type ProcessIdentity, startProcess } from '../../../bench/lib/processes.ts';
import type { SinkKind } from './cases.ts';
import { program, SINKS } from './places.ts';
import { until } from './until.ts';

const WITHIN_MS = 30_000;

export class Sink {
  readonly port: number;
  readonly #kind: SinkKind;
  readonly #folder: string;
  readonly #server: ProcessIdentity | null;

  private constructor(kind: SinkKind, folder: string, port: number, server: ProcessIdentity | null) {
    this.#kind = kind;
    this.#folder = folder;
    this.port = port;
    this.#server = server;
  }

  /** Starts a sink, and returns when it accepts connections. */
  static async start(kind: SinkKind, folder: string): Promise<Sink> {
    const port = await freePort();
    const server = serverOf(kind, folder, port);
    if (kind === 'counters') mkdirSync(countersIn(folder));
    if (server === null) return new Sink(kind, folder, port, null);
    const log = path.join(folder, 'sink.log');
    const identity = identify(startProcess(...server, { cwd: SINKS, log }).pid);
    if (identity === null) throw new Error(`${server[0]} has ended at once; its log: ${log}`);
    await until(`${kind} listens (its log: ${log})`, WITHIN_MS, () => takesConnections(port));
    return new Sink(kind, folder, port, identity);
  }

  /** Variables by which the application finds the sink. */
  get environment(): Record<string, string> {
    return {
      DELIVERIES_PORT: String(this.port),
      DELIVERIES_FILE: notesIn(this.#folder),
      ...(this.#kind === 'counters' ? { PROMETHEUS_MULTIPROC_DIR: countersIn(this.#folder) } : {}),
    };
  }

  /** The pid of the sink's process; null without one. */
  get pid(): number | null {
    return this.#server?.pid ?? null;
  }

  /** A line for each delivery: its key, or the line that the application has written. */
  read(): string[] {
    if (this.#kind === 'redis') {
      return lines(run('redis-cli', ['-p', String(this.port), '--raw', 'LRANGE', 'deliveries', '0', '-1']));
    }
    if (this.#kind === 'counters') {
      return lines(run(program('python'), [path.join(SINKS, 'read_counters.py')], this.environment));
    }
    const notes = notesIn(this.#folder);
    return existsSync(notes) ? lines(readFileSync(notes, 'utf8')) : [];
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    kill(server.pid, 'SIGTERM');
    await until('the sink has ended', WITHIN_MS, () => (hasEnded(server) ? true : null));
  }
}

/** Command and arguments of the sink's server; null if it needs none. */
function serverOf(kind: SinkKind, folder: string, port: number): [string, string[]] | null {
  if (kind === 'file' || kind === 'counters') return null;
  if (kind === 'redis') {
    const options = { '--bind': '127.0.0.1', '--port': String(port), '--save': '', '--dir': folder };
    return ['redis-server', Object.entries(options).flat()];
  }
  return [program('python'), [path.join(SINKS, `${kind}.py`), String(port), notesIn(folder)]];
}

const notesIn = (folder: string): string => path.join(folder, 'deliveries');
const countersIn = (folder: string): string => path.join(folder, 'counters');

function run(command: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): string {
  return execFileSync(command, args, { encoding: 'utf8', env: { ...process.env, ...environment } });
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

async function takesConnections(port: number): Promise<true | null> {
  return await new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(null));
  });
}
