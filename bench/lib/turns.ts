/**
 * The order in which arms take turns. Every round runs all of them and begins with the next arm, so that none always
 * runs first, or always after the heat of the same neighbour.
 */
export function turns<Arm>(arms: readonly Arm[], rounds: number): { round: number; arm: Arm }[] {
  return Array.from({ length: rounds }, (_, round) => {
    const start = arms.length === 0 ? 0 : round % arms.length;
    return [...arms.slice(start), ...arms.slice(0, start)].map((arm) => ({ round, arm }));
  }).flat();
}
