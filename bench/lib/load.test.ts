import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { load } from './load.ts';

let scratch: string;
let server: Server;
beforeEach(() => {
  scratch = mkdtempSync(path.join(tmpdir(), 'cowherd-bench-'));
});
afterEach(() => {
  server.close();
  rmSync(scratch, { recursive: true });
});

/** A server that closes each connection, as sync workers do. */
async function serving(answer: (request: number) => { status: number; afterMs: number }): Promise<{
  port: number;
  seen: () => number;
}> {
  let seen = 0;
  server = createServer((_, response) => {
    const { status, afterMs } = answer((seen += 1));
    setTimeout(() => response.writeHead(status, { connection: 'close', 'content-length': 2 }).end('ok'), afterMs);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return { port: (server.address() as AddressInfo).port, seen: () => seen };
}

test('each request is sent once, and timed from its own beginning', async () => {
  const { port, seen } = await serving(() => ({ status: 200, afterMs: 20 }));
  const result = await load({ port, path: '/', connections: 4, seconds: 1 }, scratch);
  expect(result.requests).toBe(seen());
  expect(result.requestsPerSecond).toBeCloseTo(result.requests / result.seconds, 6);
  expect(result.p50Ms).toBeGreaterThanOrEqual(19);
  // Four connections have four requests in flight at a time. If times added up over requests, this would be higher.
  expect((result.requestsPerSecond * result.p50Ms) / 1000).toBeLessThan(8);
});

test('the last answers count, however late they come', async () => {
  const { port } = await serving((request) => ({ status: 200, afterMs: request === 2 ? 1500 : 5 }));
  const result = await load({ port, path: '/', connections: 2, seconds: 1 }, scratch);
  expect(result.worstMs).toBeGreaterThanOrEqual(1490);
  expect(result.seconds).toBeGreaterThanOrEqual(1.49);
});

test('a request that fails makes the run void', async () => {
  const { port } = await serving((request) => ({ status: request === 3 ? 503 : 200, afterMs: 5 }));
  await expect(load({ port, path: '/', connections: 2, seconds: 1 }, scratch)).rejects.toThrow('status 503');
});
