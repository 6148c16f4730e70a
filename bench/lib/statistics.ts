/** Medians and percentiles. Pure. */

/** The median: for an even count, the mean of the two middle values. Throws if there are no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError('the median of no values');
  const lower = sorted.length % 2 === 0 ? (sorted[middle - 1] ?? upper) : upper;
  return (lower + upper) / 2;
}

/** The smallest value that at least `part` (0 to 1) of all values do not exceed. Throws if there are no values. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)];
  if (found === undefined) throw new RangeError('a percentile of no values');
  return found;
}

/** The smallest and the largest value. Throws if there are no values. */
export function range(values: readonly number[]): { least: number; most: number } {
  if (values.length === 0) throw new RangeError('the range of no values');
  return { least: Math.min(...values), most: Math.max(...values) };
}

/** The median of each key, over records that all have the same keys. */
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
