/**
 * What a run can be shortened or lengthened by: whole numbers in the environment.
 *
 * `BENCH_ROUNDS`, `BENCH_SECONDS` and the like; each benchmark says in its head which it reads.
 */

/** The value of `name`, or `usual`. Throws for what is no whole number of at least `least`. */
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
