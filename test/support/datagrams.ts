/** Receivers of StatsD: real sockets that collect what they get. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { PYTHON } from './cowherd.ts';

/** A metric, without its value: a name, a kind and tags. */
export function kindOf(datagram: string): string {
  return datagram.replace(/:[\d.]+\|/, ':N|');
}

/** Receives UDP on a free port of 127.0.0.1. */
export async function udpReceiver(): Promise<{ host: string; datagrams: string[] }> {
  const datagrams: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (message) => void datagrams.push(message.toString()));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return { host: `127.0.0.1:${socket.address().port}`, datagrams };
}

const UNIX = `
import socket, sys
receiving = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiving.bind(sys.argv[1])
print("", flush=True)
while True:
    print(receiving.recv(4096).decode(), flush=True)
`;

/** Receives at a Unix datagram socket, which Node does not have. `stop` leaves the file there, as a crash does. */
export async function unixReceiver(path: string): Promise<{ datagrams: string[]; stop: () => Promise<void> }> {
  const datagrams: string[] = [];
  const receiving = spawn(PYTHON, ['-c', UNIX, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let pending = '';
  receiving.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (pending + text).split('\n');
    pending = lines.pop() ?? '';
    datagrams.push(...lines.filter((line) => line !== ''));
  });
  const ended = once(receiving, 'close');
  const stop = async (): Promise<void> => {
    receiving.kill('SIGKILL');
    await ended;
  };
  onTestFinished(stop);
  await once(receiving.stdout, 'data');
  return { datagrams, stop };
}
