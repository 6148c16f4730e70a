/** ASGI calls that last longer than their responses, and calls that never end. */
import { connect, type Socket } from 'node:net';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type Run, serving } from './support/cowherd.ts';
import { until } from './support/until.ts';

/** As Quart's calls, it lasts until the client closes the connection. At /endless it has no response, and no end. */
const APP = `
import asyncio
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        open("lifespan-shutdown", "w").close()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/endless":
        await asyncio.sleep(600)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
    while (await receive())["type"] != "http.disconnect":
        pass
`;

/** Sends requests on one connection that stays open, and returns it when all are answered. */
async function ask(run: Run, ...paths: readonly string[]): Promise<Socket> {
  const { hostname, port } = new URL(run.address);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.on('data', (data: Buffer) => (text += data.toString('latin1')));
  socket.on('error', () => {});
  for (const [index, each] of paths.entries()) {
    socket.write(`GET ${each} HTTP/1.1\r\nHost: test\r\n\r\n`);
    await until(`answer ${index}`, () => text.split('\r\n\r\nok').length > index + 1);
  }
  return socket;
}

test.each(['asgi', 'uvicorn_worker.UvicornWorker'])(
  '%s: a request ends with its response, not with its call',
  async (kind) => {
    const args = ['longer:app', '-k', kind, '--keep-alive', '60'];
    const run = await serving(args, { files: { 'longer.py': APP } });
    const socket = await ask(run, '/1', '/2', '/3');
    await until('three requests are counted', async () => (await run.workers())[0]?.requests === 3);
    expect((await run.workers())[0]?.in_flight).toBe(0);
    socket.destroy();
    await run.stop();
    expect(run.messages.join('\n')).not.toContain('cut');
  },
);

test('a worker whose requests do not end in time still ends by itself', async () => {
  const run = await serving(['longer:app', '-k', 'asgi', '--graceful-timeout', '2'], { files: { 'longer.py': APP } });
  const { hostname, port } = new URL(run.address);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.write('GET /endless HTTP/1.1\r\nHost: test\r\n\r\n');
  await until('it is in flight', async () => (await run.workers())[0]?.in_flight === 1);
  await run.stop();
  expect(run.messages.join('\n')).toMatch(/has ended with 1 request\(s\) cut: GET \/endless/);
  expect(run.messages.join('\n')).not.toContain('killed');
  expect(existsSync(path.join(run.folder, 'lifespan-shutdown'))).toBe(true);
  socket.destroy();
});
