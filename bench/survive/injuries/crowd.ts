/** More idle connections than the workers may have descriptors. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../../../src/base/clock.ts';
import { descriptorsOf } from '../held-connections.ts';
import { DESCRIPTORS } from '../herd.ts';
import { ensure, type Scene, waiting } from '../scene.ts';

/**
 * Connections beyond those that all workers can accept. More are added while none waits, since new workers take some.
 */
const MORE = 150;
const MOST = 3000;
/** The status may be that old. */
const MORE_EVERY_MS = 2000;
/** The status has to show at least this many connections that no worker has accepted. */
const WAITING = 50;
const HELD_MS = 500;

/** Requests wait until the crowd has left; workers don't die of it. */
export async function crowd(scene: Scene): Promise<void> {
  const { herd } = scene;
  await herd.settle();
  const sockets = idleConnections(herd.port, herd.wanted * DESCRIPTORS + MORE);
  if (herd.kind.crowdFills === 'descriptors') {
    await herd.until('a worker has no descriptor left', ({ workers }) =>
      workers.some(({ pid }) => descriptorsOf(pid).length >= DESCRIPTORS) ? true : null,
    );
  }
  let moreAtMs = monotonicClock.now() + MORE_EVERY_MS;
  await herd.until('the status says that connections wait', (report) => {
    if (waiting(report) >= WAITING) return true;
    if (monotonicClock.now() >= moreAtMs && sockets.length < MOST) {
      sockets.push(...idleConnections(herd.port, MORE));
      moreAtMs = monotonicClock.now() + MORE_EVERY_MS;
    }
    return null;
  });
  await sleep(HELD_MS);
  for (const socket of sockets) socket.destroy();
  await herd.until('no connection waits any more', (report) => (waiting(report) < WAITING ? true : null));
  const after = await herd.settle();
  ensure(after.herd.crash_loop === null, scene, () => 'workers die one after the other');
}

function idleConnections(port: number, count: number): Socket[] {
  return Array.from({ length: count }, () => {
    const socket = connect({ port, host: '127.0.0.1' });
    // No request is lost with this connection, so its errors don't matter.
    socket.on('error', () => {});
    return socket;
  });
}
