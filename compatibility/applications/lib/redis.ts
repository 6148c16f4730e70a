/** A Redis server without persistence, on a free port of 127.0.0.1: a new one for each visited server. */
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded, identify, kill, startProcess, type StartedProcess } from '../../../bench/lib/processes.ts';
import { CACHE, logsOf } from './places.ts';

const WITHIN_MS = 20_000;

export class Redis {
  readonly #pid: number;

  private constructor(pid: number) {
    this.#pid = pid;
  }

  static async start(port: number): Promise<Redis> {
    const log = path.join(logsOf('services'), 'redis.log');
    const settings = {
      bind: '127.0.0.1',
      port: String(port),
      save: '',
      appendonly: 'no',
      daemonize: 'no',
      // A title would overwrite the environment, which has the mark by which the process is found and ended.
      'set-proc-title': 'no',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    const { pid } = startServer(args, log);
    const until = Date.now() + WITHIN_MS;
    while (!(await answers(port))) {
      if (Date.now() > until) throw new Error(`redis-server does not answer; its log: ${log}`);
      await sleep(20);
    }
    return new Redis(pid);
  }

  async stop(): Promise<void> {
    const server = identify(this.#pid);
    if (server === null) return;
    kill(this.#pid, 'SIGTERM');
    while (!hasEnded(server)) await sleep(10);
  }
}

function startServer(args: readonly string[], log: string): StartedProcess {
  try {
    return startProcess('redis-server', args, { cwd: CACHE, log });
  } catch (cause) {
    throw new Error('redis-server is not there: apt-get install redis-server', { cause });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString().startsWith('+PONG'));
    });
    socket.once('error', () => resolve(false));
  });
}
