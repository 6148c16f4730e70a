import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { listeningPaths, readListeningPaths } from './unix-sockets.ts';

test('listening sockets with a file', () => {
  const text = [
    'Num       RefCount Protocol Flags    Type St Inode Path',
    '00000000f1a0b2c3: 00000002 00000000 00010000 0001 01 24680 /run/my herds/control.sock',
    '00000000f1a0b2c4: 00000003 00000000 00000000 0001 03 24681 /run/my herds/control.sock',
    '00000000f1a0b2c5: 00000002 00000000 00010000 0001 01   681 @/abstract',
    '00000000f1a0b2c6: 00000003 00000000 00000000 0001 03 24682',
    '00000000f1a0b2c7: 00000002 00000000 00010000 0001 01     7 /run/keeper.sock',
    '',
  ].join('\n');
  expect(listeningPaths(text)).toEqual(['/run/my herds/control.sock', '/run/keeper.sock']);
});

test('a socket of this process is listed once, and no longer after it is closed', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'cowherd-sockets-'));
  const file = path.join(folder, 'a b.sock');
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(file, resolve);
  });
  const client = connect(file);
  await new Promise<void>((resolve) => {
    client.once('connect', resolve);
  });
  expect(readListeningPaths()?.filter((each) => each === file)).toEqual([file]);
  client.destroy();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  expect(readListeningPaths()).not.toContain(file);
  rmSync(folder, { recursive: true });
});
