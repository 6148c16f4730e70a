/**
 * A PostgreSQL server of the run's own: its data in the cache, on a free port of 127.0.0.1, for nobody else's use. It
 * does not write safely to disk, since nothing in it is worth more than a run.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../bench/lib/free-port.ts';
import { hasEnded, identify, kill, startProcess } from '../../../bench/lib/processes.ts';
import { CACHE, logsOf } from './places.ts';
import { run } from './running.ts';

const WITHIN_MS = 60_000;

export class Postgresql {
  readonly port: number;
  readonly #pid: number;

  private constructor(port: number, pid: number) {
    this.port = port;
    this.#pid = pid;
  }

  static async start(): Promise<Postgresql> {
    const data = path.join(CACHE, 'postgresql');
    const log = path.join(logsOf('services'), 'postgresql.log');
    if (!existsSync(path.join(data, 'PG_VERSION'))) {
      mkdirSync(data, { recursive: true, mode: 0o700 });
      const owner = serverUser();
      if (owner !== null) chownSync(data, owner.uid, owner.gid);
      const initdb = asServerUser([
        'initdb',
        '--pgdata',
        data,
        '--username',
        'postgres',
        '--auth',
        'trust',
        '--encoding',
        'UTF8',
        '--locale',
        'C.UTF-8',
        '--no-sync',
      ]);
      await run(initdb.command, initdb.args, { cwd: '/', log });
    }
    const port = await freePort();
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: '',
      max_connections: '200',
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
    };
    const server = asServerUser([
      'postgres',
      '-D',
      data,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ]);
    const { pid } = startProcess(server.command, server.args, { cwd: '/', log });
    const until = Date.now() + WITHIN_MS;
    while (!isReady(port)) {
      if (Date.now() > until) throw new Error(`PostgreSQL accepts no connection; its log: ${log}`);
      await sleep(50);
    }
    return new Postgresql(port, pid);
  }

  has(database: string): boolean {
    return this.#ask(`SELECT count(*) FROM pg_database WHERE datname = '${database}'`) === '1';
  }

  /** Empty, or a copy of another one. Replaces one of this name. */
  make(database: string, template = 'template0'): void {
    this.drop(database);
    this.#ask(`CREATE DATABASE "${database}" TEMPLATE "${template}"`);
  }

  drop(database: string): void {
    this.#ask(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
  }

  rename(database: string, name: string): void {
    this.drop(name);
    this.#ask(`ALTER DATABASE "${database}" RENAME TO "${name}"`);
  }

  #ask(statement: string): string {
    // A new connection may come before the server has noticed the end of the one before.
    const args = [
      '-h',
      '127.0.0.1',
      '-p',
      String(this.port),
      '-U',
      'postgres',
      '-d',
      'postgres',
      '-v',
      'ON_ERROR_STOP=1',
      '-qAtc',
      statement,
    ];
    return execFileSync(program('psql'), args, {
      encoding: 'utf8',
      env: { ...process.env, PGOPTIONS: '-c client_min_messages=warning' },
    }).trim();
  }

  /** Disconnects who is left, and waits for the server's end. */
  async stop(): Promise<void> {
    const server = identify(this.#pid);
    if (server === null) return;
    kill(this.#pid, 'SIGINT');
    while (!hasEnded(server)) await sleep(20);
  }
}

/** One that recovers from an end that was none listens already, and refuses. */
function isReady(port: number): boolean {
  return spawnSync(program('pg_isready'), ['-h', '127.0.0.1', '-p', String(port), '-q']).status === 0;
}

/** Debian has the server's programs in a folder of their version. */
function program(name: string): string {
  const versions = '/usr/lib/postgresql';
  const newest = existsSync(versions) ? readdirSync(versions).sort((a, b) => Number(b) - Number(a)) : [];
  const found = newest.map((version) => path.join(versions, version, 'bin', name)).find(existsSync);
  if (found === undefined) throw new Error(`${name} is not there: apt-get install postgresql`);
  return found;
}

/** PostgreSQL refuses to run as root: then as the user that its package has made. Null for who is not root. */
function serverUser(): { readonly uid: number; readonly gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function asServerUser([name = '', ...args]: readonly string[]): { command: string; args: readonly string[] } {
  if (serverUser() === null) return { command: program(name), args };
  // Keeps the right to pass through folders that only root may enter, such as root's home.
  const passing = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  return {
    command: 'setpriv',
    args: ['--reuid=postgres', '--regid=postgres', '--clear-groups', ...passing, program(name), ...args],
  };
}
