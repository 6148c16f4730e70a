/** Which connections a process has accepted, according to the kernel. */
import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSystemError } from '../../src/base/errors.ts';
import { readKernelFile } from '../../src/procfs/read.ts';
import { parseStat } from '../../src/procfs/stat.ts';

export interface TcpConnection {
  readonly localPort: number;
  readonly remotePort: number;
  /** 0 while no process has accepted the connection. */
  readonly inode: number;
}

/**
 * Parses the sockets in /proc/net/tcp.
 *
 * Source: Documentation/networking/proc_net_tcp.rst. After a number and a colon come addresses and ports in
 * hexadecimal; the tenth field is the inode.
 */
export function parseTcp(text: string): TcpConnection[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const [, local = '', remote = ''] = fields;
      const inode = Number(fields[9]);
      const portOf = (address: string): number => Number.parseInt(address.slice(address.indexOf(':') + 1), 16);
      return Number.isInteger(inode) ? [{ localPort: portOf(local), remotePort: portOf(remote), inode }] : [];
    });
}

/** Client ports of all connections to `serverPort` that the process holds. Empty if it has ended. */
export function clientPortsHeldBy(pid: number, serverPort: number): number[] {
  const inodes = new Set(descriptorsOf(pid).flatMap((name) => /^socket:\[(\d+)\]$/.exec(name)?.[1] ?? []));
  return parseTcp(readKernelFile('/proc/net/tcp') ?? '')
    .filter((each) => each.localPort === serverPort && each.remotePort !== 0 && inodes.has(String(each.inode)))
    .map((each) => each.remotePort);
}

/** The target of each descriptor of a process. */
export function descriptorsOf(pid: number): string[] {
  return listOf(`/proc/${pid}/fd`).flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${descriptor}`)];
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ESRCH')) return [];
      throw error;
    }
  });
}

/** After a SIGSTOP, waits until every thread of the process has stopped, or the process has ended. */
export async function untilStopped(pid: number): Promise<void> {
  const stops = (thread: string): boolean => {
    const text = readKernelFile(`/proc/${pid}/task/${thread}/stat`);
    return text === null || /^[TZX]$/.test(parseStat(text)?.state ?? '');
  };
  while (!listOf(`/proc/${pid}/task`).every(stops)) await sleep(1);
}

function listOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ESRCH')) return [];
    throw error;
  }
}
