/**
 * Whole numbers in the environment that shorten or lengthen a run.
 *
 * `BENCH_ROUNDS`, `BENCH_SECONDS` and the like; the head comment of each benchmark lists those that it reads.
 */

/** The value of `name`, or `usual` if it is not set. Throws unless it is a whole number of at least `least`. */
export function settingFrom(
  environment: Readonly<Record<string, string | undefined>>,
  name: string,
  usual: number,
  least = 1,
): number {
  const text = environment[name];
  if (text === undefined || text === '') return usual;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) {
    throw new RangeError(`${name} must be a whole number of at least ${least}, not "${text}"`);
  }
  return value;
}
