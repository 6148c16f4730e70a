/**
 * A load generator with a steady pace, in a separate process: `paced-load-process.ts '{"port": …}'`, forked.
 *
 * Requests are due at equal intervals, each on its own connection, whether or not earlier ones have been answered.
 * Latencies count from the time when a request was due. So a pause of the server shows in every request due during the
 * pause, not only in those sent right before it. Sends `answered` over IPC at the first answer; the first message to it
 * ends the load, and is answered with all requests.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../../src/base/clock.ts';
import { get } from './http.ts';
import type { PacedLoadOptions, PacedRequest } from './paced-load.ts';

const options = JSON.parse(process.argv[2] ?? '') as PacedLoadOptions;
const requests: PacedRequest[] = [];
const underWay = new Set<Promise<void>>();
const enough = new AbortController();
let answered = false;

async function send(dueAtMs: number): Promise<void> {
  let failure: string | null = null;
  try {
    const { status } = await get(options.port, options.path);
    if (status !== 200) failure = `status ${status}`;
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  requests.push({ dueAtMs, latencyMs: monotonicClock.now() - dueAtMs, failure });
  if (!answered) process.send?.('answered');
  answered = true;
}

process.once('message', () => enough.abort());
const everyMs = 1000 / options.perSecond;
const startedAtMs = monotonicClock.now();
for (let count = 0; !enough.signal.aborted; count += 1) {
  const dueAtMs = startedAtMs + count * everyMs;
  const waitMs = dueAtMs - monotonicClock.now();
  if (waitMs > 0) await sleep(waitMs);
  const request = send(dueAtMs);
  underWay.add(request);
  void request.finally(() => underWay.delete(request));
}
await Promise.all(underWay);
process.send?.(requests, () => process.disconnect());
