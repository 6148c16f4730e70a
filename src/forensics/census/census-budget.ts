/**
 * What a census may cost: time, work and memory. The walked memory belongs to another process, which may change it
 * meanwhile or have filled it so that a walk would never end.
 */
import type { Clock } from '../../base/clock.ts';

/** Why a census has ended early; its message is shown to the user. */
export class CensusStopped extends Error {}

export interface CensusLimits {
  /** Accesses to the memory, and other work by its length. A census takes one or two for each 8 bytes of memory. */
  readonly steps: number;
  /** Memory that this process holds for the census, without the read memory itself. */
  readonly heldBytes: number;
  readonly milliseconds: number;
}

const MIB = 2 ** 20;
/** Steps between two looks at the clock: well below a millisecond of work. */
const STEPS_A_STRETCH = 1 << 16;

/** The limits for a process with so much memory that can hold objects. */
export function limitsFor(presentBytes: number): CensusLimits {
  const mib = presentBytes / MIB;
  return {
    steps: 2 ** 27 + presentBytes * 4,
    // A census takes up to a tenth.
    heldBytes: 32 * MIB + Math.min(1024 * MIB, presentBytes / 4),
    // A MiB takes 6 ms on an idle machine of 2024. This process yields to all others.
    milliseconds: Math.min(300_000, 20_000 + mib * 100),
  };
}

export class CensusBudget {
  readonly #limits: CensusLimits;
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #onStretch: (steps: number) => void;
  #steps = 0;
  #heldBytes = 0;

  /** @param onStretch called every some 65,000 steps with the steps so far */
  constructor(limits: CensusLimits, clock: Clock, onStretch: (steps: number) => void = () => {}) {
    this.#limits = limits;
    this.#clock = clock;
    this.#startedMs = clock.now();
    this.#onStretch = onStretch;
  }

  get steps(): number {
    return this.#steps;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Pays for the next stretch of accesses.
   *
   * @returns how many these are
   * @throws CensusStopped
   */
  nextStretch(): number {
    this.spend(STEPS_A_STRETCH);
    this.#onStretch(this.#steps);
    if (this.#clock.now() - this.#startedMs > this.#limits.milliseconds) {
      throw new CensusStopped(`the walk was not finished after ${Math.round(this.#limits.milliseconds / 1000)} s`);
    }
    return STEPS_A_STRETCH;
  }

  /** @throws CensusStopped */
  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > this.#limits.steps) {
      throw new CensusStopped('the walk took more steps than its memory explains; it may have changed meanwhile');
    }
  }

  /**
   * This process will hold so many more bytes.
   *
   * @throws CensusStopped
   */
  hold(bytes: number): void {
    this.#heldBytes += bytes;
    if (this.#heldBytes > this.#limits.heldBytes) {
      throw new CensusStopped(`the walk needed more than ${Math.round(this.#limits.heldBytes / MIB)} MiB`);
    }
  }

  /** It has given back so many. */
  release(bytes: number): void {
    this.#heldBytes -= bytes;
  }
}
