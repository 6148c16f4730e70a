import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KeeperCommand } from '../../agent/messages.ts';
import { createLog } from '../../base/log.ts';
import { inodeOf } from '../../base/inode.ts';
import { sampleReport } from '../samples/sample-report.ts';
import type { Herd } from './answers.ts';
import { GunicornSocket } from './gunicorn-socket.ts';
import { ControlVisitors } from './control-visitors.ts';
import { frame } from './frames.ts';
import { listenAt } from '../../base/socket-file.ts';

let folder = '';
let at = '';
let lines: string[] = [];
let sent: KeeperCommand[] = [];
let ordered: unknown[] = [];
let socket: GunicornSocket;

const herd: Herd = {
  facts: () => ({ report: sampleReport(), tally: { ageOf: () => 1, counts: COUNTS }, socket: wanted(), pulse: null }),
  request: (event) => {
    ordered.push(event);
    return null;
  },
  askDirty: async () => await Promise.resolve(null),
  reopenLogs: () => void ordered.push('reopen'),
};
const COUNTS = { spawned: 1, killed: 0, reloads: 0 };

function wanted(changes = {}): { path: string; mode: number; is_chosen: boolean; is_tls: boolean; config: object } & {
  config: Record<string, unknown>;
} {
  return { path: at, mode: 0o600, is_chosen: true, is_tls: false, config: {}, ...changes };
}

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-gunicornc-'));
  at = path.join(folder, 'sub', 'gunicorn.ctl');
  lines = [];
  sent = [];
  ordered = [];
  const log = createLog({ format: 'json', write: (line) => void lines.push(line) });
  socket = new GunicornSocket({ herd, log, send: (command) => void sent.push(command) });
});
afterEach(() => {
  socket.close();
  rmSync(folder, { recursive: true });
});

async function opened(changes = {}): Promise<void> {
  const before = sent.length;
  socket.use(wanted(changes));
  while (sent.length === before) await sleep(2);
}

function logged(): string[] {
  return lines.map((line) => {
    const { level, msg } = JSON.parse(line) as { level: string; msg: string };
    return `${level}: ${msg}`;
  });
}

async function problem(): Promise<string> {
  while (lines.length === 0) await sleep(2);
  return logged().join('\n');
}

/** Sends these bytes, and returns all that comes until the other side has nothing more to say. */
async function said(bytes: Buffer, answers: number): Promise<Record<string, unknown>[]> {
  const socket = connect(at);
  const chunks: Buffer[] = [];
  const read: Record<string, unknown>[] = [];
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    let all = Buffer.concat(chunks);
    read.length = 0;
    while (all.length >= 4 && all.length >= 4 + all.readUInt32BE()) {
      const end = 4 + all.readUInt32BE();
      read.push(JSON.parse(all.toString('utf8', 4, end)) as Record<string, unknown>);
      all = all.subarray(end);
    }
    if (read.length >= answers) socket.destroy();
  });
  socket.write(bytes);
  await closed;
  return read;
}

async function isAlive(): Promise<void> {
  expect(await said(frame({ id: 9, command: 'help' }), 1)).toMatchObject([{ id: 9, status: 'ok' }]);
}

describe('the file', () => {
  test('has its mode from the first moment on, and is all that is made', async () => {
    await opened();
    expect(statSync(at).mode & 0o777).toBe(0o600);
    expect(statSync(path.dirname(at)).mode & 0o777).toBe(0o700);
    expect(readdirSync(path.dirname(at))).toEqual(['gunicorn.ctl']);
    expect(sent).toEqual([{ type: 'remove_at_end', path: at, inode: inodeOf(at) }]);
    await isAlive();
    socket.close();
    expect(existsSync(at)).toBe(false);
  });

  test('is open to whom the setting names', async () => {
    await opened({ mode: 0o660 });
    expect(statSync(at).mode & 0o777).toBe(0o660);
  });

  test('never has more rights than that under its first name', async () => {
    const modes = new Set<number>();
    mkdirSync(path.dirname(at));
    socket.use(wanted());
    while (sent.length === 0) {
      for (const name of readdirSync(path.dirname(at))) {
        modes.add(statSync(path.join(path.dirname(at), name)).mode & 0o777);
      }
      await new Promise(setImmediate);
    }
    expect([...modes].every((mode) => mode === 0o600)).toBe(true);
  });

  test('moves with the settings, and goes with them', async () => {
    await opened();
    const first = at;
    at = path.join(folder, 'other.ctl');
    await opened();
    expect(existsSync(first)).toBe(false);
    await isAlive();
    socket.use(null);
    expect(existsSync(at)).toBe(false);
    expect(readdirSync(folder)).toEqual(['sub']);
  });

  test('is made again where it was removed', async () => {
    await opened();
    rmSync(at);
    while (sent.length < 2) {
      socket.look();
      await sleep(2);
    }
    expect(sent[1]).toEqual({ type: 'remove_at_end', path: at, inode: inodeOf(at) });
    await isAlive();
  });

  test('of a dead server is replaced', async () => {
    const dead = await listenAt(createServer(), at, 0o600);
    // As after kill -9: nobody listens, and the file is there.
    dead.server.close();
    expect(existsSync(at)).toBe(true);
    await opened();
    await isAlive();
  });
});

describe('is left to its owner, and logged once', () => {
  test('a socket that another server listens at; taken when that one has gone', async () => {
    const other = await listenAt(createServer(), at, 0o600);
    socket.use(wanted());
    expect(await problem()).toBe(`warning: gunicornc does not reach this herd: another server listens at ${at}`);
    for (let looks = 0; looks < 20; looks += 1) {
      socket.look();
      await sleep(1);
    }
    expect(lines).toHaveLength(1);
    expect(inodeOf(at)).toBe(other.inode);
    socket.close();
    expect(inodeOf(at)).toBe(other.inode);
    socket.use(wanted());
    other.server.close();
    rmSync(at);
    while (sent.length === 0) {
      socket.look();
      await sleep(2);
    }
    await isAlive();
  });

  test('what has taken the place of the file', async () => {
    await opened();
    rmSync(at);
    writeFileSync(at, 'mine');
    socket.close();
    expect(readdirSync(path.dirname(at))).toEqual(['gunicorn.ctl']);
  });

  test('a file', async () => {
    mkdirSync(path.dirname(at));
    writeFileSync(at, 'mine');
    socket.use(wanted());
    expect(await problem()).toMatch(/is there, and is no socket/);
  });

  test('a link, which is not followed', async () => {
    mkdirSync(path.dirname(at));
    symlinkSync('/nowhere', at);
    socket.use(wanted());
    expect(await problem()).toMatch(/is no socket/);
  });

  test('a folder that others may write to', async () => {
    mkdirSync(path.dirname(at));
    const { chmodSync } = await import('node:fs');
    chmodSync(path.dirname(at), 0o777);
    socket.use(wanted());
    expect(await problem()).toMatch(/others can write to/);
  });

  test('a path that no socket can have', async () => {
    at = path.join(folder, 'x'.repeat(120));
    socket.use(wanted());
    expect(await problem()).toMatch(/longer than a socket's path may be/);
  });

  test("gunicorn's default path, which nobody has asked for, is no reason for a warning", async () => {
    mkdirSync(path.dirname(at));
    writeFileSync(at, 'mine');
    socket.use(wanted({ is_chosen: false }));
    expect(await problem()).toMatch(/^info: gunicornc does not reach this herd/);
  });
});

describe('a visitor', () => {
  beforeEach(async () => await opened());

  test('may send several requests at once, and one in pieces', async () => {
    const help = frame({ id: 1, command: 'help' });
    expect(await said(Buffer.concat([help, help, help]), 3)).toHaveLength(3);
    const socket = connect(at);
    for (const byte of help) socket.write(Buffer.of(byte));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toContain('"status":"ok"');
    socket.destroy();
  });

  test('that sends too much is dropped', async () => {
    expect(await said(Buffer.from([0x7f, 0xff, 0xff, 0xff]), 1)).toEqual([]);
    await isAlive();
  });

  test('that asks without end is dropped', async () => {
    const help = frame({ id: 1, command: 'help' });
    const read = await said(Buffer.concat(Array.from({ length: 1500 }, () => help)), 1500);
    expect(read.length).toBeLessThanOrEqual(1000);
    await isAlive();
  });

  test('that is one too many sends the oldest away', async () => {
    const sockets: Socket[] = [];
    for (let each = 0; each < 70; each += 1) {
      const socket = connect(at);
      socket.on('error', () => {});
      await once(socket, 'connect');
      sockets.push(socket);
    }
    while (sockets.filter((each) => each.closed).length < 6) await sleep(2);
    expect(sockets.findIndex((each) => !each.closed)).toBe(6);
    await isAlive();
    for (const socket of sockets) socket.destroy();
  });

  test('that sends anything at all orders nothing, and ends nothing', async () => {
    const words = fc.constantFrom('show', 'worker', 'dirty', 'help', 'add', 'all', 'stop', '-1', '"', '\\', '\0', ' ');
    const json = fc.oneof(
      fc.json(),
      fc
        .record({ id: fc.jsonValue(), command: fc.array(words).map((all) => all.join(' ')), args: fc.jsonValue() })
        .map((each) => JSON.stringify(each)),
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each)),
      json.map((text) => Buffer.concat([header(Buffer.byteLength(text)), Buffer.from(text)])),
      fc
        .tuple(fc.nat(400), fc.uint8Array({ maxLength: 200 }))
        .map(([length, rest]) => Buffer.concat([header(length), Buffer.from(rest)])),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { maxLength: 5 }), async (parts) => {
        const socket = connect(at);
        socket.on('error', () => {});
        socket.on('data', () => {});
        for (const part of parts) socket.write(part);
        socket.end();
        await once(socket, 'close');
      }),
      { numRuns: 300 },
    );
    await isAlive();
    // `worker add` may have been hit upon; nothing else that changes a herd is among the words.
    expect(ordered.filter((each) => (each as { type?: string }).type !== 'scale_to')).toEqual([]);
  });
});

function header(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
}

test('a visitor that says nothing leaves', async () => {
  const visitors = new ControlVisitors(herd, 20);
  const server = createServer((socket) => visitors.letIn(socket));
  const file = path.join(folder, 'idle');
  server.listen(file);
  await once(server, 'listening');
  const socket = connect(file);
  socket.resume();
  expect(await once(socket, 'close')).toEqual([false]);
  server.close();
});
