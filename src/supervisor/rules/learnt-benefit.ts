/**
 * What the rules for reforks and for heals have in common: neither can see what it would win, so each learns it. An
 * estimate is an upper bound times the part of the bound that the latest one has won; what does not win enough of the
 * herd's memory is not done, and one that has won too little is the last until new code is loaded. Pure.
 */
import { type Bytes, bytes, mebibytes } from '../../base/units.ts';

/** The part of an upper bound that is won, before anything was learnt. */
export const FIRST_YIELD_PART = 0.5;

/** A refork or a heal must win this part of the herd's memory, and at least this many bytes, to be worth its trouble. */
const WORTH_PART = 0.1;
const WORTH_BYTES = mebibytes(32);

/** How many wins are remembered. */
const WINS_REMEMBERED = 10;

/** How much must be won. `herdPss`: the memory of the herd. */
export function worth(herdPss: Bytes): Bytes {
  return bytes(Math.max(WORTH_BYTES, Math.round(herdPss * WORTH_PART)));
}

/** How much must have been won for another one ever to be done: half of what was asked of it. */
export function enough(herdPss: Bytes): Bytes {
  return bytes(Math.round(worth(herdPss) / 2));
}

/** The part of the bound that was won. `estimated` was the bound times `yieldPart`. */
export function learntYieldPart(yieldPart: number, estimated: Bytes, won: number): number {
  const bound = estimated / yieldPart;
  return bound > 0 ? Math.min(1, Math.max(0, won / bound)) : yieldPart;
}

/** The latest wins, the newest last. */
export function remembered<Win>(wins: readonly Win[], win: Win): Win[] {
  return [...wins, win].slice(-WINS_REMEMBERED);
}

/** Since when something holds without a break, in supervisor milliseconds; `null` while it does not. */
export function since(before: number | null | undefined, holds: boolean, nowMs: number): number | null {
  // A herd file of an older version has none.
  return holds ? (before ?? nowMs) : null;
}
