/**
 * What the rules for reforks and heals share: neither can see its benefit in advance, so each learns it. An estimate is
 * an upper bound times the part of the bound that the latest one won. Nothing is done below a minimum part of the
 * herd's memory, and one that has won too little is the last until new code is loaded. Pure.
 */
import { type Bytes, bytes, mebibytes } from '../../base/units.ts';

/** The part of an upper bound that is assumed to be won before anything was learnt. */
export const FIRST_YIELD_PART = 0.5;

/** A refork or a heal is worth its trouble if it wins this part of the herd's memory, and at least this many bytes. */
const WORTH_PART = 0.1;
const WORTH_BYTES = mebibytes(32);

/** How many wins are remembered. */
const WINS_REMEMBERED = 10;

/** The minimum to win. `herdPss`: the memory of the herd. */
export function worth(herdPss: Bytes): Bytes {
  return bytes(Math.max(WORTH_BYTES, Math.round(herdPss * WORTH_PART)));
}

/** The minimum that must have been won for another one to be tried: half of `worth`. */
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

/** Since when a condition has held without a break, in supervisor milliseconds; `null` while it does not. */
export function since(before: number | null | undefined, holds: boolean, nowMs: number): number | null {
  // `before` is missing from herd files of older versions.
  return holds ? (before ?? nowMs) : null;
}
