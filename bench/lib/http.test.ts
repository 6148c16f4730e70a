import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { get } from './http.ts';

let server: Server | null = null;
afterEach(() => {
  server?.close();
});

/** Answers every connection with these pieces, each in a separate packet, then closes it if `closes`. */
async function serving(pieces: string[], closes: boolean): Promise<number> {
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      const next = (index: number): void => {
        const piece = pieces[index];
        if (piece !== undefined) socket.write(piece, () => setTimeout(next, 5, index + 1));
        else if (closes) socket.end();
        else socket.unref();
      };
      next(0);
    });
  });
  const started = server;
  await new Promise<void>((resolve) => {
    started.listen(0, '127.0.0.1', resolve);
  });
  return (started.address() as AddressInfo).port;
}

test('complete by its length, before the server closes, in however many pieces', async () => {
  const port = await serving(['HTTP/1.1 200 OK\r\nContent-', 'Length: 5\r\n\r', '\nhe', 'llo'], false);
  expect(await get(port, '/')).toEqual({ status: 200, body: 'hello' });
});

test('without a length it ends with the connection', async () => {
  const port = await serving(['HTTP/1.1 503 Busy\r\n\r\n', 'wait'], true);
  expect(await get(port, '/')).toEqual({ status: 503, body: 'wait' });
});

test('an answer that ends too early is none', async () => {
  await expect(get(await serving(['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe'], true), '/')).rejects.toThrow(
    'cut short',
  );
});

test('neither is no answer at all, or nobody to give one', async () => {
  const port = await serving([], false);
  await expect(get(port, '/', 50)).rejects.toThrow('timed out');
  server?.close();
  await expect(get(1, '/')).rejects.toThrow('ECONNREFUSED');
});
