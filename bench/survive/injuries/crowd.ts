/** More connections than the workers may have descriptors, all of them idle. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { descriptorsOf } from '../held-connections.ts';
import { DESCRIPTORS } from '../herd.ts';
import { ensure, eventually, type Scene, waiting } from '../scene.ts';

/** Beyond what all workers can accept. */
const MORE = 150;
/** Of those that no worker has accepted, the status has to tell at least so many. */
const WAITING = 50;
const HELD_MS = 500;

/** Requests wait until the crowd has left; no worker ends. */
export async function crowd(scene: Scene): Promise<void> {
  const { herd } = scene;
  const before = await herd.settle();
  const sockets = await connections(herd.port, herd.wanted * DESCRIPTORS + MORE);
  if (herd.kind.crowdFills === 'descriptors') {
    await eventually(scene, 'a worker has no descriptor left', () =>
      before.workers.some(({ pid }) => descriptorsOf(pid).length >= DESCRIPTORS) ? true : null,
    );
  }
  await herd.until('the status says that connections wait', (report) => (waiting(report) >= WAITING ? true : null));
  await sleep(HELD_MS);
  for (const socket of sockets) socket.destroy();
  await herd.until('no connection waits any more', (report) => (waiting(report) < WAITING ? true : null));
  const after = await herd.settle();
  ensure(after.herd.crash_loop === null, scene, () => 'workers die one after the other');
}

async function connections(port: number, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1' }));
  await Promise.all(sockets.map(async (socket) => await once(socket, 'connect')));
  // What comes of them is nobody's request.
  for (const socket of sockets) socket.on('error', () => {});
  return sockets;
}
