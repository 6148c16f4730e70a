import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { serveControl } from './control-server.ts';
import { ask, CONTROL_VERSION, isAnswering, type ControlReply, type ControlRequest } from './control.ts';
import { CONTROL_SOCKET } from './runtime-directory.ts';
import type { StatusReport } from './status.ts';

const report = { version: 1, workers: [] } as unknown as StatusReport;

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

const CENSUS = { generation: 1, phase: 'none', path: null, reason: null, seconds: null } as const;

async function listen(): Promise<void> {
  server = await serveControl(folder, {
    status: () => report,
    stop: (quick) => heard.push(`stop ${quick}`),
    census: (start) => {
      heard.push(`census ${start}`);
      return CENSUS;
    },
    order: (order) => {
      heard.push(order.type);
      return DONE;
    },
  });
}

/** What comes back for these bytes, line by line. */
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
    [
      { type: 'census', version: CONTROL_VERSION, start: true },
      { type: 'census', census: CENSUS },
    ],
  ];
  for (const [request, reply] of requests) expect(await ask(folder, request)).toEqual(reply);
  expect(heard).toEqual(['stop true', 'scale', 'reload', 'census true']);
});

test('the socket is open to its owner only', async () => {
  await listen();
  expect(statSync(path.join(folder, CONTROL_SOCKET)).mode & 0o777).toBe(0o600);
});

test('several requests may come in one piece, and one in several', async () => {
  await listen();
  const line = `${JSON.stringify({ type: 'scale', version: CONTROL_VERSION, workers: 1 })}\n`;
  expect(await raw(line + line, 2)).toEqual([
    { type: 'answered', ...DONE },
    { type: 'answered', ...DONE },
  ]);
});

describe('refuses, and lives on', () => {
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

describe('asking', () => {
  const status: ControlRequest = { type: 'status', version: CONTROL_VERSION };

  test('where nobody has ever listened', async () => {
    await expect(ask(folder, status)).rejects.toMatchObject({ code: 'NOT_RUNNING', detail: folder });
    expect(await isAnswering(folder)).toBe(false);
  });

  /** A server that is not ours, in the place of ours. */
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

  test('whoever hangs up', async () => {
    await stranger(() => null);
    await expect(ask(folder, status)).rejects.toMatchObject({ code: 'NOT_RUNNING' });
  });

  test('a supervisor that refuses, because it is of another version', async () => {
    await stranger(() => '{"type":"refused","reason":"this supervisor speaks control version 9, not 1"}\n');
    await expect(ask(folder, status)).rejects.toMatchObject({ code: 'PROTOCOL_MISMATCH' });
    expect(await isAnswering(folder)).toBe(true);
  });

  test('a supervisor that says nothing', async () => {
    await stranger(() => '');
    await expect(ask(folder, status)).rejects.toMatchObject({ code: 'NO_ANSWER' });
  }, 10_000);

  test('somebody who talks nonsense', async () => {
    await stranger(() => 'HTTP/1.1 400 Bad Request\n');
    await expect(ask(folder, status)).rejects.toMatchObject({ code: 'PROTOCOL_MISMATCH' });
  }, 10_000);
});
