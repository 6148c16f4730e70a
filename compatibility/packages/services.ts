/**
 * Servers that packages are clients of: separate instances for this run, on free ports of the loopback, in a temporary
 * folder. The machine's own services are not touched.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../bench/lib/free-port.ts';
import { hasEnded, identify, kill, type ProcessIdentity, startProcess } from '../../bench/lib/processes.ts';
import type { ServiceName } from './list.ts';

export interface Missing {
  readonly service: ServiceName;
  /** The command that installs it on Debian. */
  readonly install: string;
}

type Program = Exclude<ServiceName, 'http'>;

const PROGRAMS: Readonly<Record<Program, { readonly places: readonly string[]; readonly debian: string }>> = {
  postgresql: { places: postgresqls(), debian: 'postgresql' },
  redis: { places: ['/usr/bin/redis-server'], debian: 'redis-server' },
  memcached: { places: ['/usr/bin/memcached'], debian: 'memcached' },
  mariadb: { places: ['/usr/sbin/mariadbd'], debian: 'mariadb-server' },
};

/** PostgreSQL servers, newest first. Debian can have several versions. */
function postgresqls(): string[] {
  const folder = '/usr/lib/postgresql';
  if (!existsSync(folder)) return [];
  const versions = readdirSync(folder).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => path.join(folder, version, 'bin', 'postgres'));
}

const READY_WITHIN_MS = 60_000;
const ENDED_WITHIN_MS = 10_000;

/** What is missing for a service; null if it is installed. */
export function missing(service: ServiceName): Missing | null {
  if (service === 'http' || programOf(service) !== null) return null;
  return { service, install: `apt-get install ${PROGRAMS[service].debian}` };
}

function programOf(service: Program): string | null {
  return PROGRAMS[service].places.find((place) => existsSync(place)) ?? null;
}

/** Starts each service when it is first needed. */
export class Services {
  readonly #folder: string;
  readonly #started = new Map<ServiceName, Promise<number>>();
  readonly #pids: number[] = [];
  #http: Server | null = null;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Variables for users of these services, such as COWHERD_REDIS_PORT. */
  async environmentFor(services: readonly ServiceName[]): Promise<Record<string, string>> {
    const environment: Record<string, string> = {};
    for (const service of services) {
      let port = this.#started.get(service);
      if (port === undefined) {
        port = this.#start(service);
        this.#started.set(service, port);
      }
      environment[`COWHERD_${service.toUpperCase()}_PORT`] = String(await port);
    }
    return environment;
  }

  async stop(): Promise<void> {
    this.#http?.close();
    this.#http?.closeAllConnections();
    const left = this.#pids.flatMap((pid) => identify(pid) ?? []);
    for (const { pid } of left) kill(pid, 'SIGTERM');
    await untilEnded(left);
  }

  async #start(service: ServiceName): Promise<number> {
    if (service === 'http') return await this.#startHttp();
    const program = programOf(service);
    if (program === null) throw new Error(`${service} is not installed`);
    const folder = path.join(this.#folder, service);
    mkdirSync(folder);
    const port = await freePort();
    const { command, args } = commandOf(service, { program, folder, port });
    const { pid } = startProcess(command, args, { cwd: folder, log: path.join(this.#folder, `${service}.log`) });
    this.#pids.push(pid);
    await untilListening(port, service);
    if (service === 'mariadb') await makeMariadbDatabase(folder);
    return port;
  }

  /** Answers any request with a description of the request in JSON. */
  async #startHttp(): Promise<number> {
    const server = createServer((request, response) => {
      let received = 0;
      request.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      request.on('end', () => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ method: request.method, path: request.url, received: received > 0 }));
      });
    });
    this.#http = server;
    return await new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  }
}

/** Runs a program of this folder while `during` runs. */
export async function beside<Result>(
  command: readonly [string, string],
  folder: string,
  during: (port: number) => Promise<Result>,
): Promise<Result> {
  const port = await freePort();
  const { pid } = startProcess(command[0], [command[1], String(port)], {
    cwd: folder,
    log: path.join(folder, 'companion.log'),
  });
  const started = identify(pid);
  try {
    await untilListening(port, command[1]);
    return await during(port);
  } finally {
    kill(pid, 'SIGKILL');
    if (started !== null) await untilEnded([started]);
  }
}

interface Place {
  readonly program: string;
  readonly folder: string;
  readonly port: number;
}

interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

function commandOf(service: Program, place: Place): Command {
  const { program, folder, port } = place;
  switch (service) {
    case 'redis': {
      const args = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--dir', folder];
      return { command: program, args };
    }
    case 'memcached': {
      const user = isRoot() ? ['-u', 'memcache'] : [];
      return { command: program, args: ['-l', '127.0.0.1', '-p', String(port), '-m', '32', ...user] };
    }
    case 'postgresql':
      return postgresqlCommand(place);
    case 'mariadb':
      return mariadbCommand(place);
    default:
      throw new Error(service satisfies never);
  }
}

/** Makes the cluster, and returns the server's command. Neither runs as root. */
function postgresqlCommand({ program, folder, port }: Place): Command {
  const asUser = (command: string, args: readonly string[]): Command =>
    isRoot()
      ? { command: 'setpriv', args: ['--reuid=postgres', '--regid=postgres', '--clear-groups', '--', command, ...args] }
      : { command, args };
  if (isRoot()) giveTo('postgres', folder);
  const data = path.join(folder, 'data');
  const initdb = path.join(path.dirname(program), 'initdb');
  const make = asUser(initdb, ['-D', data, '-U', 'cowherd', '-A', 'trust', '-E', 'UTF8']);
  execFileSync(make.command, make.args, { stdio: 'ignore', cwd: folder });
  const options = ['-D', data, '-p', String(port), '-k', folder, '-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off'];
  return asUser(program, options);
}

/** Makes the data folder, and returns the server's command. */
function mariadbCommand({ program, folder, port }: Place): Command {
  const user = isRoot() ? ['--user=mysql'] : [];
  if (isRoot()) giveTo('mysql', folder);
  const data = `--datadir=${path.join(folder, 'data')}`;
  const make = ['--no-defaults', data, '--auth-root-authentication-method=normal', ...user];
  const made = spawnSync('mariadb-install-db', make, { encoding: 'utf8', cwd: folder });
  if (made.status !== 0) throw new Error(`mariadb-install-db: ${made.stdout}${made.stderr}`);
  const socket = `--socket=${path.join(folder, 'socket')}`;
  return {
    command: program,
    args: ['--no-defaults', data, socket, `--port=${port}`, '--bind-address=127.0.0.1', ...user],
  };
}

const isRoot = (): boolean => process.getuid?.() === 0;

function giveTo(user: string, folder: string): void {
  const id = (option: string): number => Number(execFileSync('id', [option, user], { encoding: 'utf8' }));
  chownSync(folder, id('-u'), id('-g'));
}

async function untilEnded(processes: readonly ProcessIdentity[]): Promise<void> {
  const until = performance.now() + ENDED_WITHIN_MS;
  while (!processes.every(hasEnded) && performance.now() < until) await sleep(20);
}

async function untilListening(port: number, what: string): Promise<void> {
  const until = performance.now() + READY_WITHIN_MS;
  while (!(await isListening(port))) {
    if (performance.now() > until) throw new Error(`${what} does not listen`);
    await sleep(50);
  }
}

export async function isListening(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function makeMariadbDatabase(folder: string): Promise<void> {
  const socket = path.join(folder, 'socket');
  for (let tenths = 0; tenths < 100 && !existsSync(socket); tenths += 1) await sleep(100);
  execFileSync('mariadb', ['--no-defaults', `--socket=${socket}`, '-u', 'root'], {
    input: `
      CREATE DATABASE IF NOT EXISTS cowherd;
      CREATE OR REPLACE USER cowherd@localhost IDENTIFIED BY 'cowherd';
      CREATE OR REPLACE USER cowherd@'127.0.0.1' IDENTIFIED BY 'cowherd';
      GRANT ALL ON cowherd.* TO cowherd@localhost;
      GRANT ALL ON cowherd.* TO cowherd@'127.0.0.1';
    `,
  });
}
