/** Generated and mutated messages: for the channels of workers, and for the two sockets of the runtime directory. Pure. */
import fc from 'fast-check';
import type { Attack } from './attacks.ts';

/** Messages as they should be; what is sent is one of them, changed somewhere, or something else altogether. */
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
  { type: 'census_written', path: '/dev/zero', objects: 1, seconds: 1 },
  { type: 'mold_failed', code: 'X', detail: 'x' },
];

/** For the control socket and the keeper's. */
const COMMANDS: readonly Readonly<Record<string, unknown>>[] = [
  { type: 'status', version: 1 },
  { type: 'scale', version: 1, workers: 3 },
  { type: 'census', version: 1, start: false },
  { type: 'look', protocol: 2 },
  { type: 'adopt', protocol: 2 },
];

/** What a command may say that ends or changes the herd rightly: it is its owner's. */
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

/** So many packets of a worker, by its seed. */
export function packets(seed: number, count: number): string[] {
  return fc.sample(changed(SEEDS), { seed, numRuns: count });
}

/** So many lines for a socket in the runtime directory, without those that the herd rightly obeys. */
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

/** Each in a worker of its own: one that goes on is not listened to any more. */
export function fuzzAttacks(seed: number, rounds: number): Attack[] {
  return Array.from({ length: rounds }, (_, round) => ({
    name: `generated packets, seed ${seed + round}`,
    lines: `
for packet in json.loads(${JSON.stringify(JSON.stringify(packets(seed + round, 40)))}):
    say(packet.encode("utf-8", "surrogatepass"))
`,
  }));
}
