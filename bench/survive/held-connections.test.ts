import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { readStat } from '../../src/procfs/stat.ts';
import { clientPortsHeldBy, parseTcp, untilStopped } from './held-connections.ts';

describe('parseTcp', () => {
  it('reads ports and inodes', () => {
    const text =
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n' +
      '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 8123 1 0000 100 0 0 10 0\n' +
      '   1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 9456 1 0000 20 4 30 10 -1\n';
    expect(parseTcp(text)).toEqual([
      { localPort: 8080, remotePort: 0, inode: 8123 },
      { localPort: 8080, remotePort: 54_321, inode: 9456 },
    ]);
  });
});

describe('clientPortsHeldBy', () => {
  it('names the connections that this process has accepted, as long as it has', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect({ port, host: '127.0.0.1' });
    const accepted = once(server, 'connection');
    await once(client, 'connect');
    await accepted;
    expect(clientPortsHeldBy(process.pid, port)).toEqual([client.localPort]);
    expect(clientPortsHeldBy(process.ppid, port)).toEqual([]);
    client.destroy();
    server.close();
  });
});

describe('untilStopped', () => {
  it('returns when a process has stopped', async () => {
    const child = spawn('sleep', ['60']);
    const pid = child.pid ?? 0;
    child.kill('SIGSTOP');
    await untilStopped(pid);
    expect(readStat(pid)?.state).toBe('T');
    child.kill('SIGKILL');
    await once(child, 'exit');
    await untilStopped(pid);
  });
});
