/** A real keeper without a mold, addressed as the supervisor does. */
import { mkdtempSync, existsSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hearKeeper } from './keeper-connection.ts';
import { spawnKeeper, type KeeperProcess } from './keeper-process.ts';
import { PROTOCOL_VERSION, type KeeperCommand, type KeeperMessage } from './messages.ts';

/** The first mold waits for an order, which never comes here. */
const ARGUMENTS = ['hello'];
const PYTHON = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url));

/** The keeper's messages so far, and a way to wait for more. */
class Heard {
  readonly messages: KeeperMessage[] = [];
  readonly events: string[] = [];
  readonly keeper: KeeperProcess;
  #wake: () => void = () => {};

  constructor(python: string) {
    this.keeper = spawnKeeper(python, path.join(folder, 'keeper.sock'), ARGUMENTS, []);
    const told = (event: string): void => {
      this.events.push(event);
      this.#wake();
    };
    hearKeeper(this.keeper, {
      onMessage: (message) => {
        this.messages.push(message);
        this.#wake();
      },
      onUnreadable: (line) => told(`unreadable ${line}`),
      onSpawnFailed: (error) => told(`spawn failed ${error.code}`),
      onExit: (status, signal) => told(`exit ${status} ${signal}`),
    });
  }

  async until<Value>(look: () => Value | undefined): Promise<Value> {
    for (;;) {
      const value = look();
      if (value !== undefined) return value;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async says<Type extends KeeperMessage['type']>(type: Type): Promise<Extract<KeeperMessage, { type: Type }>> {
    return await this.until(() =>
      this.messages.find((message): message is Extract<KeeperMessage, { type: Type }> => message.type === type),
    );
  }

  async leaves(): Promise<void> {
    this.keeper.send({ type: 'exit' });
    expect(await this.until(() => this.events[0])).toBe('exit 0 null');
  }
}

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-keeper-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function listen(...addresses: Extract<KeeperCommand, { type: 'listen' }>['addresses']): KeeperCommand {
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  return {
    type: 'listen',
    generation: 1,
    addresses,
    backlog: 16,
    reuse_port: false,
    umask: 0o077,
    grace_seconds: 1,
    ...owner,
  };
}

test('it introduces itself, and leaves when told to', async () => {
  const heard = new Heard(PYTHON);
  const ready = await heard.says('keeper_ready');
  expect(ready).toMatchObject({ protocol: PROTOCOL_VERSION, implementation: 'cpython', free_threaded: false });
  expect(ready.pid).toBeGreaterThan(1);
  await heard.leaves();
  expect(heard.messages.map((message) => message.type)).toEqual(['keeper_ready', 'keeper_leaving']);
});

test('it listens, holds the sockets, and removes the socket file at the end', async () => {
  const heard = new Heard(PYTHON);
  const socket = path.join(folder, 'web.sock');
  heard.keeper.send(listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }, { kind: 'unix', path: socket }));
  const { listeners } = await heard.says('listening');
  expect(listeners).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/), `unix:${socket}`]);
  // Nobody accepts yet: the kernel keeps the connection for the first worker.
  await new Promise<void>((resolve, reject) => {
    const client = connect(socket, () => {
      client.destroy();
      resolve();
    });
    client.on('error', reject);
  });
  await heard.leaves();
  expect(existsSync(socket)).toBe(false);
});

test("it reports an address on which it can't listen, and why", async () => {
  const heard = new Heard(PYTHON);
  heard.keeper.send(listen({ kind: 'unix', path: '/no/such/folder/web.sock' }));
  expect(await heard.says('listen_failed')).toEqual({
    type: 'listen_failed',
    generation: 1,
    code: 'ADDRESS_UNAVAILABLE',
    address: 'unix:/no/such/folder/web.sock',
    reason: 'No such file or directory',
  });
  await heard.leaves();
});

test('it signals only its own children', async () => {
  const heard = new Heard(PYTHON);
  heard.keeper.send({ type: 'signal', pid: process.pid, signal: 9 });
  expect(await heard.says('signal_failed')).toEqual({ type: 'signal_failed', pid: process.pid, signal: 9 });
  await heard.leaves();
});

test('a program that is no keeper is noticed', async () => {
  const heard = new Heard('/bin/true');
  expect(await heard.until(() => heard.events[0])).toBe('exit 0 null');
  expect(heard.messages).toEqual([]);
});

test('a missing program is noticed', async () => {
  const heard = new Heard('/no/such/python');
  expect(await heard.until(() => heard.events[0])).toBe('spawn failed ENOENT');
});
