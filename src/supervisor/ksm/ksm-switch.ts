/**
 * Switches KSM on, a setting of the host, and puts everything back as it was.
 *
 * What was there before is also kept in a file, for as long as it is changed: so two of Cowherd's processes never do
 * it at once, each taking the other's settings for the host's own; and when one is killed in the midst of it, the next
 * puts the host's settings back. The file and the settings both go with a restart of the host.
 *
 * Source: mm/ksm.c and Documentation/admin-guide/mm/ksm.rst. While an advisor is on, pages_to_scan is its own and can't
 * be written. 0 in `run` stops the merging and leaves merged what is; 2 would copy it all again.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CowherdError, isSystemError } from '../../base/errors.ts';
import { KSM_FOLDER, type KsmSettings, readKsmSettings } from '../../procfs/ksm.ts';
import { readStat } from '../../procfs/stat.ts';

/** How fast ksmd works. A page costs it some 2 µs, so these are half a core at most, and a tenth of one. */
export interface Pace {
  readonly pagesToScan: number;
  readonly sleepMs: number;
}
export const BRISK: Pace = { pagesToScan: 5000, sleepMs: 10 };
export const GENTLE: Pace = { pagesToScan: 1000, sleepMs: 20 };

/** A file of the host's settings, and what is written there. */
export interface SettingChange {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const RECORD = '/run/cowherd-ksm.json';

interface Taken {
  readonly pid: number;
  readonly startTime: number;
  readonly changes: readonly SettingChange[];
}

/** What to change, in this order. Nothing where KSM runs already: then its pace is somebody's choice. Pure. */
export function changesFor(before: KsmSettings, pace: Pace): SettingChange[] {
  if (before.run === 1) return [];
  const change = (file: string, from: number | string, to: number | string): SettingChange[] =>
    from === to ? [] : [{ file, from: String(from), to: String(to) }];
  return [
    ...(before.advisor === null ? [] : change('advisor_mode', before.advisor, 'none')),
    ...change('pages_to_scan', before.pagesToScan, Math.max(before.pagesToScan, pace.pagesToScan)),
    ...change('sleep_millisecs', before.sleepMs, pace.sleepMs),
    // 2 has unmerged everything, once, and written again it would do so again.
    { file: 'run', from: '0', to: '1' },
  ];
}

export class KsmSwitch {
  readonly #folder: string;
  readonly #record: string;
  #changes: readonly SettingChange[] | null = null;

  constructor(folder = KSM_FOLDER, record = RECORD) {
    this.#folder = folder;
    this.#record = record;
  }

  /** Puts back what a process that was killed has left changed, and says what it was. */
  recover(): readonly SettingChange[] {
    const left = this.#readRecord();
    if (left === null) {
      // There is none, or nothing can be learnt from it.
      this.#removeRecord();
      return [];
    }
    if (isOwned(left)) return [];
    this.#putBack(left.changes, false);
    return left.changes;
  }

  /** What a process that was killed has left changed: KSM goes on at its pace until somebody puts it back. */
  leftBehind(): readonly SettingChange[] {
    const left = this.#readRecord();
    return left === null || isOwned(left) ? [] : left.changes;
  }

  /** What {@link begin} would change now. @throws CowherdError KSM_UNAVAILABLE */
  plan(pace: Pace): SettingChange[] {
    const before = readKsmSettings(this.#folder);
    if (before === null) throw new CowherdError('KSM_UNAVAILABLE', { detail: `there is no ${this.#folder}` });
    return changesFor(before, pace);
  }

  /**
   * Switches it on.
   *
   * @throws CowherdError KSM_UNAVAILABLE, KSM_NOT_ALLOWED; then nothing is changed
   */
  begin(pace: Pace): void {
    if (this.#changes !== null) return;
    this.recover();
    const changes = this.plan(pace);
    this.#takeRecord(changes);
    this.#changes = changes;
    try {
      for (const { file, to } of changes) writeFileSync(join(this.#folder, file), to);
    } catch (error) {
      this.end();
      if (!isSystemError(error)) throw error;
      throw new CowherdError('KSM_NOT_ALLOWED', { detail: error.message, cause: error });
    }
  }

  /** Puts back what was changed; with `keeps` it goes on merging, at the pace that the host had. Never throws. */
  end(keeps = false): void {
    const changes = this.#changes;
    if (changes === null) return;
    this.#changes = null;
    this.#putBack(changes, keeps);
  }

  #putBack(changes: readonly SettingChange[], keeps: boolean): void {
    // The merging stops first, and an advisor comes last, since it takes pages_to_scan for its own.
    for (const { file, from, to } of changes.toReversed().toSorted(byAdvisorLast)) {
      if (keeps && file === 'run') continue;
      const path = join(this.#folder, file);
      try {
        // What somebody has set otherwise meanwhile is theirs.
        if (valueIn(readFileSync(path, 'utf8')) === to) writeFileSync(path, from);
      } catch {
        // The others can still be put back.
      }
    }
    this.#removeRecord();
  }

  #removeRecord(): void {
    try {
      rmSync(this.#record, { force: true });
    } catch {
      // Another user's: it is not this process that has changed anything.
    }
  }

  #takeRecord(changes: readonly SettingChange[]): void {
    const record: Taken = { pid: process.pid, startTime: readStat(process.pid)?.startTime ?? 0, changes };
    try {
      writeFileSync(this.#record, JSON.stringify(record), { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if (!isSystemError(error, 'EEXIST')) {
        // No such folder, or not ours to write to: it goes without.
        if (isSystemError(error)) return;
        throw error;
      }
      throw new CowherdError('KSM_NOT_ALLOWED', {
        detail: `process ${this.#readRecord()?.pid ?? '?'} of Cowherd is already merging memory on this host`,
        advice: `Wait until it has ended, or kill it; ${this.#record} names it.`,
        cause: error,
      });
    }
  }

  #readRecord(): Taken | null {
    try {
      const found = JSON.parse(readFileSync(this.#record, 'utf8')) as Taken;
      return Array.isArray(found.changes) && found.changes.every(isChange) ? found : null;
    } catch {
      return null;
    }
  }
}

const byAdvisorLast = (a: SettingChange, b: SettingChange): number =>
  Number(a.file === 'advisor_mode') - Number(b.file === 'advisor_mode');

/** The word in brackets, where all that can be are listed. */
function valueIn(text: string): string {
  return /\[([\w-]+)\]/.exec(text)?.[1] ?? text.trim();
}

function isOwned({ pid, startTime }: Taken): boolean {
  const stat = readStat(pid);
  return stat !== null && stat.startTime === startTime && stat.state !== 'Z';
}

/** Nothing else is ever written out of that file. */
function isChange(value: unknown): value is SettingChange {
  const { file, from, to } = value as Partial<SettingChange>;
  const isKnown = file === 'advisor_mode' || file === 'pages_to_scan' || file === 'sleep_millisecs' || file === 'run';
  return isKnown && typeof from === 'string' && typeof to === 'string';
}
