/**
 * The figures of a benchmark, each compared with its target. Pure.
 */

/** The bound of a figure: at most or at least a value. */
export interface Target {
  readonly name: string;
  readonly kind: 'at most' | 'at least';
  readonly value: number;
}

export const atMost = (name: string, value: number): Target => ({ name, kind: 'at most', value });
export const atLeast = (name: string, value: number): Target => ({ name, kind: 'at least', value });

export type Figures = Readonly<Record<string, number>>;

export interface Verdict {
  readonly target: Target;
  /** Undefined where it could not be measured. */
  readonly measured: number | undefined;
  readonly reached: boolean;
}

/** One verdict per target, in the order of the targets. A figure that could not be measured is not reached. */
export function judge(figures: Figures, targets: readonly Target[]): Verdict[] {
  return targets.map((target) => {
    const measured = figures[target.name];
    const reached =
      measured !== undefined && (target.kind === 'at most' ? measured <= target.value : measured >= target.value);
    return { target, measured, reached };
  });
}

/** Keeps at least four significant digits, so that a figure is printed as it was judged: 0.9496 is not 0.95. */
export function formatFigure(value: number): string {
  return Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(4)));
}
