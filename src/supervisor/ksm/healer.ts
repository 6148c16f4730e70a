/** The host's side of healing by rule: reads what KSM does for the herd, and switches it on and off. No policy here. */
import { type Bytes, bytes, pages, pagesToBytes } from '../../base/units.ts';
import type { Log } from '../../base/log.ts';
import { CowherdError } from '../../base/errors.ts';
import { kernelUnits } from '../../procfs/auxv.ts';
import { cpuTimeOf, findKsmd, readKsmStat, readKsmTotals, whyNoMerging } from '../../procfs/ksm.ts';
import type { MergingReading } from '../herd/events.ts';
import type { MergingSample } from '../rules/heal-settled.ts';
import { explainProblem } from './ksm-problem.ts';
import { GENTLE, KsmSwitch } from './ksm-switch.ts';

export class Healer {
  readonly #log: Log;
  readonly #switch = new KsmSwitch();
  #isMerging = false;
  /** Undefined until it was searched for. */
  #ksmd: number | null | undefined;
  readonly #putBack = (): void => this.#switch.end();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Takes some 100 µs, and while merging another 20 µs per process. */
  look(pids: readonly number[]): MergingReading {
    const problem = whyNoMerging();
    if (problem !== null) return { problem: explainProblem(problem), sample: null, ksmdMs: null };
    if (this.#ksmd === undefined) {
      this.#ksmd = findKsmd();
      this.#recover();
    }
    return { problem: null, sample: this.#isMerging ? sampleOf(pids) : null, ksmdMs: cpuTimeOf(this.#ksmd) };
  }

  /** @returns why KSM can't be switched on, or null */
  start(): string | null {
    try {
      this.#switch.begin(GENTLE);
    } catch (error) {
      if (!(error instanceof CowherdError)) throw error;
      return `${error.title}: ${error.detail ?? ''}. ${error.advice}`;
    }
    this.#isMerging = true;
    // In case this process ends unexpectedly.
    process.once('exit', this.#putBack);
    return null;
  }

  /** Restores the host's settings. */
  stop(): void {
    if (!this.#isMerging) return;
    this.#isMerging = false;
    process.removeListener('exit', this.#putBack);
    this.#putBack();
  }

  #recover(): void {
    const left = this.#switch.recover();
    if (left.length === 0) return;
    const what = left.map(({ file, from }) => `${file} ${from}`).join(', ');
    this.#log.info(`Settings of KSM that a killed process had changed are as before: ${what}`);
  }
}

/** Null if KSM has disappeared, which should not happen. */
function sampleOf(pids: readonly number[]): MergingSample | null {
  const totals = readKsmTotals();
  if (totals === null) return null;
  return { fullScans: totals.fullScans, merged: mergedIn(pids) };
}

/** The merged memory of these processes; those that are gone or may not be read count as 0. */
function mergedIn(pids: readonly number[]): Bytes {
  const { pageSize } = kernelUnits();
  return bytes(
    pids.reduce((total, pid) => total + pagesToBytes(readKsmStat(pid)?.mergingPages ?? pages(0), pageSize), 0),
  );
}
