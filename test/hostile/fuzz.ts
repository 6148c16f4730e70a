/**
 * Generated and mutated messages, for the channels of workers and for the two sockets of the runtime directory. Pure.
 */
import fc from 'fast-check';
import type { Attack } from './attacks.ts';

/** Valid messages. A generated packet is one of them with a change somewhere, or something entirely different. */
const SEEDS: readonly Readonly<Record<string, unknown>>[] = [
  { type: 'worker_ready' },
  { type: 'worker_failed', code: 'WORKER_BOOT_FAILED', detail: 'x' },
  { type: 'notice', level: 'warning', text: 'x' },
  { type: 'guard', function: 'collect', package: 'p', file: '/f', line: 1, held: true },
  { type: 'in_flight', requests: [{ method: 'GET', path: '/', seconds: 1 }], response_errors: 0 },
  { type: 'retire_refused', reason: 'x' },
  { type: 'retired', requests_finished: 1 },
  { type: 'forked', slot: 0, pid: 1, age: 1, forked_monotonic_ns: 1 },
  { type: 'fork_failed', slot: 0, reason: 'x' },
  { type: 'mold_failed', code: 'X', detail: 'x' },
];

/** Valid messages to the control socket and to the keeper's socket. */
const COMMANDS: readonly Readonly<Record<string, unknown>>[] = [
  { type: 'status', version: 1 },
  { type: 'scale', version: 1, workers: 3 },
  { type: 'look', protocol: 2 },
  { type: 'adopt', protocol: 2 },
];

/** Commands of the owner that legitimately end or change the herd. */
const OBEYED: ReadonlySet<unknown> = new Set(['stop', 'drain', 'scale', 'reload', 'refork', 'rollback']);

function changed(seeds: typeof SEEDS): fc.Arbitrary<string> {
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(-1, 0, 1, 2 ** 31, 2 ** 53, -(2 ** 63), 1e308, '', '\u0000', 'x'.repeat(5000), [], {}, null),
  );
  const message = fc
    .tuple(fc.constantFrom(...seeds), fc.dictionary(fc.constantFrom('type', 'pid', 'slot', 'text', 'extra'), value))
    .map(([seed, changes]) => JSON.stringify({ ...seed, ...changes }));
  const torn = fc.tuple(message, fc.nat(200), fc.string()).map(([text, at, more]) => text.slice(0, at) + more);
  return fc.oneof(message, torn, fc.json(), fc.string({ maxLength: 300 }));
}

/** `count` packets of a worker, determined by the seed. */
export function packets(seed: number, count: number): string[] {
  return fc.sample(changed(SEEDS), { seed, numRuns: count });
}

/** Up to `count` lines for a socket in the runtime directory, without those that the herd has to obey. */
export function lines(seed: number, count: number): string[] {
  return fc.sample(changed(COMMANDS), { seed, numRuns: count }).filter((line) => !isObeyed(line));
}

function isObeyed(line: string): boolean {
  return line.split('\n').some((each) => {
    try {
      const parsed: unknown = JSON.parse(each);
      return typeof parsed === 'object' && parsed !== null && 'type' in parsed && OBEYED.has(parsed.type);
    } catch {
      return false;
    }
  });
}

/** One attack in one worker per round: the keeper ignores a process after too many bad messages. */
export function fuzzAttacks(seed: number, rounds: number): Attack[] {
  return Array.from({ length: rounds }, (_, round) => ({
    name: `generated packets, seed ${seed + round}`,
    lines: `
for packet in json.loads(${JSON.stringify(JSON.stringify(packets(seed + round, 40)))}):
    say(packet.encode("utf-8", "surrogatepass"))
`,
  }));
}
