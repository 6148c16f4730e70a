/** Medians and percentiles. Pure. */

/** The middle value; the mean of the two middle ones for an even count. Throws for no value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError('the median of no values');
  const lower = sorted.length % 2 === 0 ? (sorted[middle - 1] ?? upper) : upper;
  return (lower + upper) / 2;
}

/** The smallest value that at least `part` of all values (0 to 1) do not exceed. Throws for no value. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)];
  if (found === undefined) throw new RangeError('a percentile of no values');
  return found;
}

/** Smallest and largest. Throws for no value. */
export function range(values: readonly number[]): { least: number; most: number } {
  if (values.length === 0) throw new RangeError('the range of no values');
  return { least: Math.min(...values), most: Math.max(...values) };
}

/** The median over all keys of records that have the same ones. */
export function medianOfEach<Key extends string>(
  records: readonly Readonly<Record<Key, number>>[],
): Record<Key, number> {
  const first = records[0];
  if (first === undefined) throw new RangeError('the median of no records');
  const keys = Object.keys(first) as Key[];
  return Object.fromEntries(keys.map((key) => [key, median(records.map((record) => record[key]))])) as Record<
    Key,
    number
  >;
}
