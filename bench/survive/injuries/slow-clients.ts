/** Clients whose requests arrive byte by byte (slow loris), more of them than the herd has workers and threads. */
import { setTimeout as sleep } from 'node:timers/promises';
import { clientPortsHeldBy } from '../held-connections.ts';
import { ensure, type Scene, waiting } from '../scene.ts';
import { type SlowOutcome, SlowClient } from '../slow-client.ts';

const CLIENTS = 40;
/** From when on they hold what they can. */
const SLOW_MS = 1500;
const BYTE_EVERY_MS = 100;
/** Numbers that no visitor comes to. */
const FIRST_NUMBER = 1_000_000_000;
const PROBE_WITHIN_MS = 20_000;

/**
 * Other requests wait meanwhile, if a worker or thread can do but one; and are answered, if it can do many. All slow
 * clients are answered at last. One whose connection was closed before its request was whole was not: its worker left.
 */
export async function slowClients(scene: Scene): Promise<void> {
  const { herd, random } = scene;
  await herd.settle();
  const base = FIRST_NUMBER + Math.floor(random() * 1e9);
  const clients = Array.from({ length: CLIENTS }, (_, index) => new SlowClient(herd.port, base + index));
  const dripping = setInterval(() => {
    for (const client of clients) client.drip();
  }, BYTE_EVERY_MS);
  const ports = new Set(await Promise.all(clients.map(async (client) => await client.connected)));
  await herd.until('slow clients are accepted', ({ workers }) => {
    const held = (pid: number): number => clientPortsHeldBy(pid, herd.port).filter((port) => ports.has(port)).length;
    // Of many that one worker can hold it may have accepted all just before it was told to leave.
    const isEnough =
      herd.kind.slowClientsHold === 'workers'
        ? workers.every(({ pid, state }) => state !== 'ready' || held(pid) > 0)
        : workers.reduce((sum, { pid }) => sum + held(pid), 0) >= CLIENTS / 2;
    return isEnough ? true : null;
  });
  if (herd.kind.slowClientsHold === 'workers') {
    await herd.until('the status says that connections wait', (report) => (waiting(report) > 0 ? true : null));
  } else if (herd.kind.slowClientsHold === 'nobody') {
    const outcome = await probe(herd.port, base + CLIENTS);
    ensure(outcome === 'answered', scene, () => `beside slow clients a request was: ${outcome}`);
  }
  await sleep(SLOW_MS);
  clearInterval(dripping);
  const outcomes = await Promise.all(clients.map(async (client) => await client.finish()));
  const bad = outcomes.filter((outcome) => outcome !== 'answered' && outcome !== 'turned away');
  ensure(bad.length === 0, scene, () => `slow clients: ${bad[0]}, and ${bad.length - 1} more`);
  const answered = outcomes.filter((outcome) => outcome === 'answered').length;
  ensure(answered >= CLIENTS / 2, scene, () => `${answered} of ${CLIENTS} slow clients were answered`);
}

/** A request that arrives at once. */
async function probe(port: number, number: number): Promise<SlowOutcome | 'not in time'> {
  const client = new SlowClient(port, number);
  await client.connected;
  return await Promise.race([client.finish(), sleep(PROBE_WITHIN_MS, 'not in time' as const)]);
}
