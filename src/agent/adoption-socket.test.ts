/** How a command treats a server on a keeper's adoption socket that is no keeper. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { look } from './adoption-socket.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-door-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The result of a look, or its error, with a server that does this to each visitor. */
async function outcomeWith(doTo: (visitor: Socket) => void): Promise<string> {
  const adoptionSocket = path.join(folder, 'keeper.sock');
  const server = createServer((visitor) => {
    visitor.on('error', () => {});
    doTo(visitor);
  });
  await new Promise<void>((resolve) => {
    server.listen(adoptionSocket, resolve);
  });
  try {
    return JSON.stringify(await look(adoptionSocket));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    server.close();
  }
}

test('a line that does not end is given up, and the connection is closed', async () => {
  let sent = 0;
  let isClosed: Promise<unknown> = Promise.resolve();
  const said = await outcomeWith((visitor) => {
    isClosed = new Promise((resolve) => {
      visitor.on('close', resolve);
    });
    const more = (): void => {
      while (!visitor.destroyed && visitor.write('x'.repeat(65_536))) sent += 65_536;
    };
    visitor.on('drain', more);
    more();
  });
  await isClosed;
  expect(said).toMatch(/a line of more than 16777216 characters/);
  expect(sent).toBeLessThan(64 * 1024 * 1024);
});
