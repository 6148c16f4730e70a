import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { serveControl } from './control-server.ts';
import { ask, isAnswering } from './control.ts';
import { CONTROL_VERSION, type ControlReply, type ControlRequest } from './control-messages.ts';
import { CONTROL_SOCKET } from '../runtime-directory/runtime-directory.ts';
import { sampleReport } from '../samples/sample-report.ts';

const report = sampleReport();

let folder = '';
let server: Server | null = null;
let heard: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-control-'));
  heard = [];
});
afterEach(() => {
  server?.close();
  server = null;
  rmSync(folder, { recursive: true });
});

const DONE = { accepted: true, text: 'done', generation: null };

async function listen(idleMs?: number, status = report): Promise<void> {
  const handlers = {
    status: () => {
      heard.push('status');
      return status;
    },
    stop: (quick: boolean) => void heard.push(`stop ${quick}`),
    order: (order: ControlRequest) => {
      heard.push(order.type);
      return DONE;
    },
  };
  server = await serveControl(folder, handlers, idleMs);
}

/** Sends these bytes, and returns the answers line by line. */
function raw(text: string, answers: number): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(path.join(folder, CONTROL_SOCKET));
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString();
      const lines = received.split('\n').slice(0, -1);
      if (lines.length < answers) return;
      socket.destroy();
      resolve(lines.map((line) => JSON.parse(line) as unknown));
    });
    socket.on('error', reject);
    socket.write(text);
  });
}

test('every request has its answer', async () => {
  await listen();
  const requests: [ControlRequest, ControlReply][] = [
    [
      { type: 'status', version: CONTROL_VERSION },
      { type: 'status', report },
    ],
    [
      { type: 'stop', version: CONTROL_VERSION, quick: true },
      { type: 'stopping', pid: process.pid },
    ],
    [
      { type: 'scale', version: CONTROL_VERSION, workers: 2 },
      { type: 'answered', ...DONE },
    ],
    [
      { type: 'reload', version: CONTROL_VERSION },
      { type: 'answered', ...DONE },
    ],
  ];
  for (const [request, reply] of requests) expect(await ask(folder, request)).toEqual(reply);
  expect(heard).toEqual(['status', 'stop true', 'scale', 'reload']);
});

test('the socket is open to its owner only', async () => {
  await listen();
  expect(statSync(path.join(folder, CONTROL_SOCKET)).mode & 0o777).toBe(0o600);
});

test('several requests may come in one chunk, and one in several', async () => {
  await listen();
  const line = `${JSON.stringify({ type: 'scale', version: CONTROL_VERSION, workers: 1 })}\n`;
  expect(await raw(line + line, 2)).toEqual([
    { type: 'answered', ...DONE },
    { type: 'answered', ...DONE },
  ]);
});

describe('refuses, and keeps running', () => {
  test.each([
    ['what is no JSON', 'hello\n', /not a JSON object/],
    ['what is no request', '{"type":"reboot","version":1}\n', /type/],
    ['a request without what it needs', `{"type":"scale","version":${CONTROL_VERSION}}\n`, /workers/],
    ['null', 'null\n', /./],
    ['another version', '{"type":"status","version":99}\n', /control version 1, not 99/],
  ])('%s', async (_what, text, reason) => {
    await listen();
    const [answer] = await raw(text, 1);
    expect(answer).toEqual({ type: 'refused', reason: expect.stringMatching(reason) });
    expect(await isAnswering(folder)).toBe(true);
  });
});

describe('a misbehaving visitor is disconnected', () => {
  const status = `${JSON.stringify({ type: 'status', version: CONTROL_VERSION })}\n`;

  /** A visitor that does not read unless told to, and a promise of its disconnection. */
  async function visit(): Promise<{ socket: Socket; isOut: Promise<true> }> {
    const socket = connect(path.join(folder, CONTROL_SOCKET)).on('error', () => {});
    const isOut = new Promise<true>((resolve) => {
      socket.on('close', () => resolve(true));
    });
    await once(socket, 'connect');
    return { socket, isOut };
  }

  test('for an endless line', async () => {
    await listen(600_000);
    const { socket, isOut } = await visit();
    for (let piece = 0; piece < 100; piece += 1) socket.write('x'.repeat(100));
    expect(await isOut).toBe(true);
    expect(await isAnswering(folder)).toBe(true);
  });

  test('for silence', async () => {
    await listen(50);
    const { socket, isOut } = await visit();
    socket.resume();
    expect(await isOut).toBe(true);
  });

  test('for not reading the answers', async () => {
    await listen(600_000, { ...report, herd: { ...report.herd, app: 'x'.repeat(1024 * 1024) } });
    const { socket, isOut } = await visit();
    socket.write(status.repeat(50));
    // A visitor that does not read notices the end only by writing.
    for (; !socket.destroyed; await sleep(1)) socket.write('x');
    expect(await isOut).toBe(true);
    expect(heard.length).toBeLessThan(20);
    expect(await ask(folder, { type: 'status', version: CONTROL_VERSION })).toMatchObject({ type: 'status' });
  });

  test('for endless requests', async () => {
    await listen(600_000);
    const { socket, isOut } = await visit();
    socket.resume();
    socket.write(status.repeat(10_000));
    expect(await isOut).toBe(true);
    expect(heard.length).toBe(100);
    expect(await ask(folder, { type: 'status', version: CONTROL_VERSION })).toMatchObject({ type: 'status' });
  });

  test('for being the oldest one, when there are too many', async () => {
    await listen();
    const visitors = [];
    for (let count = 0; count < 70; count += 1) visitors.push(await visit());
    for (const { socket } of visitors) socket.resume();
    expect(await ask(folder, { type: 'status', version: CONTROL_VERSION })).toMatchObject({ type: 'status' });
    await Promise.all(visitors.slice(0, 7).map(({ isOut }) => isOut));
    expect(visitors.slice(7).some(({ socket }) => socket.destroyed)).toBe(false);
    for (const { socket } of visitors) socket.destroy();
  });
});

describe('asking', () => {
  const status: ControlRequest = { type: 'status', version: CONTROL_VERSION };

  test('a folder in which nobody has ever listened', async () => {
    await expect(ask(folder, status)).rejects.toMatchObject({ code: 'NOT_RUNNING', detail: folder });
    expect(await isAnswering(folder)).toBe(false);
  });

  /** A foreign server in the supervisor's place. */
  const stranger = async (onLine: (text: string) => string | null): Promise<void> => {
    server = createServer((socket) => {
      socket.on('data', (chunk) => {
        const answer = onLine(chunk.toString());
        if (answer === null) socket.destroy();
        else socket.write(answer);
      });
    });
    await new Promise<void>((resolve) => {
      server?.listen(path.join(folder, CONTROL_SOCKET), resolve);
    });
  };

  test('a server that hangs up', async () => {
    await stranger(() => null);
    await expect(ask(folder, status)).rejects.toMatchObject({ code: 'NOT_RUNNING' });
  });

  test('a supervisor that refuses because it has another version', async () => {
    await stranger(() => '{"type":"refused","reason":"this supervisor speaks control version 9, not 1"}\n');
    await expect(ask(folder, status)).rejects.toMatchObject({ code: 'PROTOCOL_MISMATCH' });
    expect(await isAnswering(folder)).toBe(true);
  });

  test('a silent supervisor', async () => {
    await stranger(() => '');
    await expect(ask(folder, status)).rejects.toMatchObject({ code: 'NO_ANSWER' });
  }, 10_000);

  test('a server that sends an endless reply, one byte at a time', async () => {
    let timer: NodeJS.Timeout | undefined;
    server = createServer((socket) => {
      timer = setInterval(() => socket.write('x'), 20);
      socket.on('error', () => {}).on('close', () => clearInterval(timer));
    });
    await new Promise<void>((resolve) => {
      server?.listen(path.join(folder, CONTROL_SOCKET), resolve);
    });
    await expect(ask(folder, status)).rejects.toMatchObject({ code: 'NO_ANSWER' });
  }, 20_000);

  test('a server that sends an endless line', async () => {
    server = createServer((socket) => {
      const flood = (): void => {
        while (!socket.destroyed && socket.write('x'.repeat(1 << 20)));
      };
      socket.on('drain', flood).on('error', () => {});
      flood();
    });
    await new Promise<void>((resolve) => {
      server?.listen(path.join(folder, CONTROL_SOCKET), resolve);
    });
    const detail = expect.stringContaining('a reply of more than') as string;
    await expect(ask(folder, status)).rejects.toMatchObject({ code: 'PROTOCOL_MISMATCH', detail });
  }, 20_000);

  test("another user's server: nothing is sent to it", async () => {
    await stranger(() => '{"type":"stopping","pid":1}\n');
    chmodSync(folder, 0o777);
    await expect(ask(folder, status)).rejects.toMatchObject({ code: 'RUNTIME_DIRECTORY_UNSAFE' });
    expect(await isAnswering(folder)).toBe(false);
  });

  test('a server whose reply has the wrong form', async () => {
    await stranger(() => '{"type":"status","report":{"version":1}}\n');
    await expect(ask(folder, status)).rejects.toMatchObject({ code: 'PROTOCOL_MISMATCH' });
  });

  test('a server that talks nonsense', async () => {
    await stranger(() => 'HTTP/1.1 400 Bad Request\n');
    await expect(ask(folder, status)).rejects.toMatchObject({ code: 'PROTOCOL_MISMATCH' });
  }, 10_000);
});
