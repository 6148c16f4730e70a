/** Checks that everything that was sent has been delivered once. Pure. */

/** Key of the delivery that is made each time the application is loaded. */
export const AT_IMPORT = 'import';

export interface Tally {
  /** Number of expected deliveries. */
  readonly sent: number;
  /** How many of `sent` have arrived. */
  readonly delivered: number;
  readonly lost: number;
  /** Unexpected deliveries: those that arrived a second time, or were never sent. */
  readonly doubled: number;
}

export interface Sent {
  /** Numbers of the requests that had the right answer. */
  readonly answered: readonly number[];
  /** Numbers of the requests that failed. They may have been delivered or not. */
  readonly failed: readonly number[];
  /** How often the application was loaded, if that makes a delivery. */
  readonly imports: number;
}

export function tally(sent: Sent, deliveredKeys: readonly string[]): Tally {
  const expected = new Map<string, number>(sent.answered.map((number) => [String(number), 1]));
  if (sent.imports > 0) expected.set(AT_IMPORT, sent.imports);
  const maybe = new Set(sent.failed.map(String));
  const found = new Map<string, number>();
  for (const key of deliveredKeys) found.set(key, (found.get(key) ?? 0) + 1);

  const sum = { sent: 0, delivered: 0, lost: 0, doubled: 0 };
  for (const [key, count] of expected) {
    const delivered = Math.min(count, found.get(key) ?? 0);
    sum.sent += count;
    sum.delivered += delivered;
    sum.lost += count - delivered;
  }
  for (const [key, count] of found) {
    sum.doubled += Math.max(0, count - (expected.get(key) ?? (maybe.has(key) ? 1 : 0)));
  }
  return sum;
}
