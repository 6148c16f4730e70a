/**
 * Visitors of the application bench/apps/survive.py: `node --import tsx visitor-process.ts '{"port": …}'`, forked.
 *
 * Each visitor repeatedly sends a request, checks the answer to its last byte, and pauses. Some open a new connection
 * for each request, some keep one as long as the server does. Every request is counted. A failure is reported with the
 * port of its connection, which tells the worker that had accepted it. A request is sent a second time only where HTTP
 * allows it: the server closed a kept connection before any byte of the answer, and the method is idempotent (RFC 9112,
 * 9.3.1; RFC 9110, 9.2.2).
 */
import { Agent, request } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { monotonicClock } from '../../src/base/clock.ts';
import { percentile } from '../lib/statistics.ts';
import type { Failure, VisitMessage, VisitOptions, VisitReport } from './visits.ts';

const KINDS = ['small', 'small', 'small', 'large', 'slow', 'post'] as const;
const LARGE_BYTES = 200_000;
const POST_BYTES = 32_000;

const options = JSON.parse(process.argv[2] ?? '') as VisitOptions;
const failures: Failure[] = [];
const retries: Failure[] = [];
const wrong: { number: number; kind: string; what: string }[] = [];
const latenciesMs: number[] = [];
const versions = new Set<string>();
const openedAtMs = new WeakMap<Socket, number>();
/** Client ports, kept here because a closed socket no longer tells its port. */
const ports = new WeakMap<Socket, number>();
let sent = 0;
let answered = 0;
let onReused = 0;
const enough = new AbortController();

type Kind = (typeof KINDS)[number];
type Outcome = { status: number; body: Buffer; reused: boolean } | Failure;

function tell(message: VisitMessage): void {
  process.send?.(message);
}

async function visit(keep: boolean): Promise<void> {
  // One connection per visitor.
  const agent = keep ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined;
  while (!enough.signal.aborted) {
    const number = sent++;
    const kind = KINDS[number % KINDS.length] ?? 'small';
    const started = monotonicClock.now();
    let outcome = await attempt(number, kind, agent);
    if ('reason' in outcome && mayRetry(outcome)) {
      retries.push(outcome);
      outcome = await attempt(number, kind, undefined);
    }
    if ('reason' in outcome) {
      failures.push(outcome);
    } else {
      const what = check(number, kind, outcome.status, outcome.body);
      if (what === null) {
        answered += 1;
        if (outcome.reused) onReused += 1;
        latenciesMs.push(monotonicClock.now() - started);
      } else {
        wrong.push({ number, kind, what });
      }
    }
    await sleep(Math.random() * options.pauseMs);
  }
  agent?.destroy();
}

function mayRetry(failure: Failure): boolean {
  return failure.reused && failure.bytesOfAnswer === 0 && failure.kind !== 'post' && failure.reason !== 'timed out';
}

function attempt(number: number, kind: Kind, agent: Agent | undefined): Promise<Outcome> {
  const sentAtMs = monotonicClock.now();
  const posted = kind === 'post' ? bodyOf(number) : null;
  return new Promise((resolve) => {
    let socket: Socket | null = null;
    let readBefore = 0;
    const message = request({
      host: '127.0.0.1',
      port: options.port,
      path: `/${kind}?id=${number}`,
      method: posted === null ? 'GET' : 'POST',
      agent: agent ?? false,
      timeout: options.timeoutMs,
      headers: posted === null ? {} : { 'content-length': String(posted.length) },
    });
    const fail = (reason: string): void => {
      resolve({
        number,
        kind,
        reused: message.reusedSocket,
        port: (socket === null ? undefined : ports.get(socket)) ?? null,
        openedAtMs: (socket === null ? undefined : openedAtMs.get(socket)) ?? null,
        sentAtMs,
        failedAtMs: monotonicClock.now(),
        bytesOfAnswer: socket === null ? 0 : socket.bytesRead - readBefore,
        reason,
      });
    };
    message.once('socket', (given: Socket) => {
      socket = given;
      readBefore = given.bytesRead;
      if (openedAtMs.has(given)) return;
      openedAtMs.set(given, sentAtMs);
      given.once('connect', () => ports.set(given, given.localPort ?? 0));
    });
    message.once('timeout', () => message.destroy(new Error('timed out')));
    message.once('error', (error) => fail(codeOf(error)));
    message.once('response', (answer) => {
      const received: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => received.push(chunk));
      answer.once('error', (error) => fail(`cut short: ${codeOf(error)}`));
      answer.once('end', () =>
        resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(received), reused: message.reusedSocket }),
      );
    });
    message.end(posted ?? undefined);
  });
}

function codeOf(error: Error): string {
  return ('code' in error && typeof error.code === 'string' ? `${error.code} ` : '') + error.message;
}

function bodyOf(number: number): Buffer {
  return Buffer.alloc(POST_BYTES, `${number} `);
}

/** What is wrong with an answer, or null. */
function check(number: number, kind: Kind, status: number, body: Buffer): string | null {
  if (status !== 200) return `status ${status}`;
  const end = body.indexOf('\n');
  const head = /^(\d+) (\d+) (\S+)$/.exec(body.toString('latin1', 0, Math.max(0, end)));
  if (head === null || Number(head[1]) !== number) return `begins with ${body.toString('latin1', 0, 40)}`;
  const rest = body.subarray(end + 1);
  const expected =
    kind === 'large'
      ? Buffer.alloc(LARGE_BYTES, 97 + (number % 26))
      : Buffer.from(kind === 'post' ? String(crc32(bodyOf(number))) : '');
  if (!rest.equals(expected)) return `${rest.length} bytes that are not the ${expected.length} expected`;
  const version = head[3] ?? '';
  if (!versions.has(version)) {
    versions.add(version);
    tell({ version });
  }
  return null;
}

process.once('message', () => {
  enough.abort();
});
await Promise.all([
  ...Array.from({ length: options.fresh }, () => visit(false)),
  ...Array.from({ length: options.keeping }, () => visit(true)),
]);
const part = (of: number): number => (latenciesMs.length === 0 ? 0 : percentile(latenciesMs, of));
const report: VisitReport = {
  sent,
  answered,
  onReused,
  failures,
  retries,
  wrong,
  p50Ms: part(0.5),
  p99Ms: part(0.99),
  worstMs: part(1),
};
process.send?.({ report } satisfies VisitMessage, () => process.disconnect());
