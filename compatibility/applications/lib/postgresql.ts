/**
 * A PostgreSQL server for this run only: its data is in the cache, and it listens on a free port of 127.0.0.1. It
 * doesn't write safely to disk, since its data is needed for this run only.
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

  /** Makes a database: empty, or a copy of `template`. Replaces one of the same name. */
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
    // A new connection may arrive before the server has noticed the end of the previous one.
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

  /** Disconnects all clients, and waits for the end of the server. */
  async stop(): Promise<void> {
    const server = identify(this.#pid);
    if (server === null) return;
    kill(this.#pid, 'SIGINT');
    while (!hasEnded(server)) await sleep(20);
  }
}

/** Asks pg_isready: a server that recovers from an unclean end listens already, but refuses. */
function isReady(port: number): boolean {
  return spawnSync(program('pg_isready'), ['-h', '127.0.0.1', '-p', String(port), '-q']).status === 0;
}

/** The path of one of the server's programs. Debian has them in a folder per version. */
function program(name: string): string {
  const versions = '/usr/lib/postgresql';
  const newest = existsSync(versions) ? readdirSync(versions).sort((a, b) => Number(b) - Number(a)) : [];
  const found = newest.map((version) => path.join(versions, version, 'bin', name)).find(existsSync);
  if (found === undefined) throw new Error(`${name} is not there: apt-get install postgresql`);
  return found;
}

/** The user that Debian's package has made, since PostgreSQL refuses to run as root. Null if this user is not root. */
function serverUser(): { readonly uid: number; readonly gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function asServerUser([name = '', ...args]: readonly string[]): { command: string; args: readonly string[] } {
  if (serverUser() === null) return { command: program(name), args };
  // Keeps the capability to pass through folders that only root may enter, such as root's home.
  const passing = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  return {
    command: 'setpriv',
    args: ['--reuid=postgres', '--regid=postgres', '--clear-groups', ...passing, program(name), ...args],
  };
}
