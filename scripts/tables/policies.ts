/** The TypeScript source of the ladder of heap policies. Pure. */
import * as v from 'valibot';

const version = v.tuple([v.number(), v.number()]);

const table = v.strictObject({
  requirements: v.record(v.string(), v.string()),
  ladder: v.array(
    v.strictObject({
      name: v.string(),
      needs: v.array(v.string()),
      oldest: v.optional(version),
      newest: v.optional(version),
      guard_holds: v.array(v.string()),
    }),
  ),
});

/** @throws ValiError for an invalid table; Error for a need without a reason */
export function policiesSource(text: string): string {
  const { requirements, ladder } = v.parse(table, JSON.parse(text));
  for (const need of ladder.flatMap(({ needs }) => needs)) {
    if (requirements[need] === undefined) throw new Error(`policies.json gives no reason for ${need}`);
  }
  const rungs = ladder.map(({ name, needs, oldest = null, newest = null }) => ({ name, needs, oldest, newest }));
  return `/** Made by scripts/tables.ts out of agent/cowherd_agent/policies.json. */
export const REASONS = ${JSON.stringify(requirements)} as const;

/** Highest rung first. */
export const LADDER = ${JSON.stringify(rungs)} as const;
`;
}
