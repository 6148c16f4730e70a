/**
 * The order in which arms take turns: all of them in each round, each round beginning with the next one, so that
 * none always runs first or after the same neighbour's heat.
 */
export function turns<Arm>(arms: readonly Arm[], rounds: number): { round: number; arm: Arm }[] {
  return Array.from({ length: rounds }, (_, round) => {
    const start = arms.length === 0 ? 0 : round % arms.length;
    return [...arms.slice(start), ...arms.slice(0, start)].map((arm) => ({ round, arm }));
  }).flat();
}
