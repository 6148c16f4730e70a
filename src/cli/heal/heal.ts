/**
 * `cowherd heal`: has the kernel merge pages of molds and workers that are byte for byte the same again, shows the
 * savings, and restores the host's settings.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { constants } from 'node:os';
import { CowherdError, isSystemError } from '../../base/errors.ts';
import { monotonicClock } from '../../base/clock.ts';
import { printable, printableIn, printableJson } from '../../base/printable.ts';
import { bytes, type Milliseconds } from '../../base/units.ts';
import { kernelUnits } from '../../procfs/auxv.ts';
import { cpuTimeOf, findKsmd, readKsmStat, readKsmTotals, whyNoMerging } from '../../procfs/ksm.ts';
import { readSmapsRollup } from '../../procfs/smaps-rollup.ts';
import { begin, follow } from '../../supervisor/rules/heal-settled.ts';
import { problemAsError } from '../../supervisor/ksm/ksm-problem.ts';
import { BRISK, KsmSwitch } from '../../supervisor/ksm/ksm-switch.ts';
import { confirm } from '../shared/confirm.ts';
import { type HealReport, healReport, type HealSample } from './heal-report.ts';
import { allowMerging, findTarget, type HealTarget, refusing } from './heal-target.ts';
import { formatBegin, formatHeal, formatQuestion, formatSample } from './heal-text.ts';

export interface HealOptions {
  runtimeDir?: string;
  /** Don't ask for confirmation. */
  yes?: boolean;
  /** Leave KSM on afterwards. */
  keep?: boolean;
  /** The longest time that it may take. */
  seconds?: number;
  json?: boolean;
}

const DEFAULT_SECONDS = 300;
const SAMPLE_EVERY_MS = 500;
/** Interval of lines that are not updated in place. */
const LINE_EVERY_MS = 2000;
/** Sampling may take at most this part of the time. */
const LOOKING_PART = 0.1;
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const CLEAR_LINE = '\r\u001B[K';

/**
 * @returns 0, or 128 plus the number of the signal that ended it
 * @throws CowherdError KSM_UNAVAILABLE, KSM_NOT_ALLOWED, CONFIRMATION_NEEDED, NOTHING_TO_MERGE, and those of findTarget
 */
export async function runHeal(pid: number | undefined, options: HealOptions): Promise<number> {
  const problem = whyNoMerging();
  if (problem !== null) throw problemAsError(problem);
  const target = await findTarget(pid, options.runtimeDir);
  const keeps = options.keep === true;
  const ksm = new KsmSwitch();
  tellRecovered(ksm);
  const planned = ksm.plan(BRISK);
  if (planned.length > 0) await confirm(formatQuestion(planned, keeps), options.yes === true);
  const notMergeable = await allowMerging(target);
  const { report, signal } = await heal({ target, ksm, notMergeable, keeps, options });
  process.stdout.write(
    options.json === true ? `${printableJson(report, 2)}\n` : `${formatHeal(printableIn(report))}\n`,
  );
  return signal === null ? 0 : 128 + constants.signals[signal];
}

function tellRecovered(ksm: KsmSwitch): void {
  const left = ksm.recover();
  if (left.length === 0) return;
  const what = left.map(({ file, from }) => `${file} ${from}`).join(', ');
  process.stderr.write(`Settings of KSM that a killed process had changed are as before: ${what}\n`);
}

interface Undertaking {
  readonly target: HealTarget;
  readonly ksm: KsmSwitch;
  readonly notMergeable: readonly number[];
  readonly keeps: boolean;
  readonly options: HealOptions;
}

async function heal(undertaking: Undertaking): Promise<{ report: HealReport; signal: NodeJS.Signals | null }> {
  const { target, ksm, notMergeable, keeps, options } = undertaking;
  const watch = new Watch(target.pids);
  const samples = [watch.sample()];
  const [first] = samples;
  if (first === undefined || first.pss === 0) throw new CowherdError('PROCESS_ENDED', { detail: target.name });
  const view = options.json === true ? null : new View(process.stdout);
  view?.say(formatBegin(printable(target.name), target.pids.length, first, notMergeable));
  const interruption = new Interruption();
  const changes = ksm.plan(BRISK);
  // Also if the reader of the output goes away, or an unexpected error ends this process.
  const putBack = (): void => ksm.end();
  process.once('exit', putBack);
  let progress = begin(progressSample(first));
  try {
    ksm.begin(BRISK);
    const deadline = monotonicClock.now() + (options.seconds ?? DEFAULT_SECONDS) * 1000;
    while (!progress.settled && interruption.signal === null && monotonicClock.now() < deadline) {
      await interruption.sleep(Math.max(SAMPLE_EVERY_MS, watch.costMs / LOOKING_PART));
      const sample = watch.sample();
      samples.push(sample);
      progress = follow(progress, progressSample(sample));
      view?.show(sample);
    }
  } finally {
    ksm.end(keeps);
    process.removeListener('exit', putBack);
    interruption.stop();
    view?.clear();
  }
  const report = healReport({
    target: target.name,
    policy: target.policy,
    processes: watch.alive,
    notMergeable: refusing(watch.alive),
    samples,
    progress,
    interrupted: interruption.signal !== null,
    changes,
    keeps,
  });
  return { report, signal: interruption.signal };
}

function progressSample(sample: HealSample) {
  return { fullScans: sample.host.full_scans, merged: bytes(sample.merged) };
}

/** Measures the effects of a heal on its processes. Ended processes are left out of the sums, also of those before. */
class Watch {
  readonly #startedAt = monotonicClock.now();
  readonly #before = new Map<number, number>();
  readonly #ksmd = findKsmd();
  readonly #ksmdBefore: Milliseconds | null;
  #cost = 0;

  constructor(pids: readonly number[]) {
    this.#ksmdBefore = cpuTimeOf(this.#ksmd);
    for (const pid of pids) {
      const pss = pssOf(pid);
      if (pss !== null) this.#before.set(pid, pss);
    }
  }

  /** The processes that still exist. */
  get alive(): number[] {
    return [...this.#before.keys()];
  }

  /** How long the latest sample took. */
  get costMs(): number {
    return this.#cost;
  }

  sample(): HealSample {
    const at = monotonicClock.now();
    const sum = { pss: 0, before: 0, merged: 0, profit: 0 };
    for (const [pid, before] of this.#before) {
      const pss = pssOf(pid);
      const stat = readKsmStat(pid);
      if (pss === null || stat === null) {
        this.#before.delete(pid);
        continue;
      }
      sum.pss += pss;
      sum.before += before;
      sum.merged += stat.mergingPages * kernelUnits().pageSize;
      sum.profit += stat.profit;
    }
    const totals = readKsmTotals();
    const ksmd = cpuTimeOf(this.#ksmd);
    this.#cost = monotonicClock.now() - at;
    return {
      seconds: (at - this.#startedAt) / 1000,
      pss: sum.pss,
      pss_before: sum.before,
      merged: sum.merged,
      profit: sum.profit,
      ksmd_cpu_seconds: ksmd === null || this.#ksmdBefore === null ? null : (ksmd - this.#ksmdBefore) / 1000,
      host: {
        full_scans: totals?.fullScans ?? 0,
        pages_shared: totals?.pagesShared ?? 0,
        pages_sharing: totals?.pagesSharing ?? 0,
        general_profit: totals?.generalProfit ?? null,
      },
    };
  }
}

/** Null for a process that has ended, is a zombie (without memory), or must not be inspected. */
function pssOf(pid: number): number | null {
  try {
    const rollup = readSmapsRollup(pid);
    return rollup === null || rollup.rss === 0 ? null : rollup.pss;
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM')) return null;
    throw error;
  }
}

/** Catches signals that ask this process to end, so that it stops waiting but restores all settings first. */
class Interruption {
  signal: NodeJS.Signals | null = null;
  readonly #abort = new AbortController();
  readonly #heard = (signal: NodeJS.Signals): void => {
    this.signal ??= signal;
    this.#abort.abort();
  };

  constructor() {
    for (const name of ENDING_SIGNALS) process.on(name, this.#heard);
  }

  async sleep(ms: number): Promise<void> {
    try {
      await sleep(ms, undefined, { signal: this.#abort.signal });
    } catch {
      // Woken.
    }
  }

  stop(): void {
    for (const name of ENDING_SIGNALS) process.removeListener(name, this.#heard);
  }
}

/** Updates one line in place on a terminal; elsewhere prints a line from time to time. */
class View {
  readonly #stream: NodeJS.WriteStream;
  #saidAt = -Infinity;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  say(text: string): void {
    this.#stream.write(`${text}\n`);
  }

  show(sample: HealSample): void {
    if (this.#stream.isTTY) {
      const line = formatSample(sample);
      this.#stream.write(`${CLEAR_LINE}${line.slice(0, Math.max(1, this.#stream.columns - 1))}`);
      return;
    }
    if (sample.seconds * 1000 - this.#saidAt < LINE_EVERY_MS) return;
    this.#saidAt = sample.seconds * 1000;
    this.say(formatSample(sample));
  }

  clear(): void {
    if (this.#stream.isTTY) this.#stream.write(CLEAR_LINE);
  }
}
