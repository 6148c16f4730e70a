/**
 * Switches KSM on, a setting of the host, and restores everything afterwards.
 *
 * The previous settings are also kept in a file while they are changed. Two processes of Cowherd therefore never change
 * them at once, each taking the other's settings for the host's own; and when a process is killed meanwhile, the next
 * one restores the host's settings. A restart of the host resets both the file and the settings.
 *
 * Source: mm/ksm.c and Documentation/admin-guide/mm/ksm.rst. An active advisor controls pages_to_scan, which then can't
 * be written. 0 in `run` stops the merging and keeps merged pages; 2 would copy them all again.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { CowherdError, isSystemError } from '../../base/errors.ts';
import { readBounded } from '../../base/safe-file.ts';
import { KSM_FOLDER, type KsmSettings, readKsmSettings } from '../../procfs/ksm.ts';
import { readStat } from '../../procfs/stat.ts';

/** How fast ksmd works. A page costs it some 2 µs, so these take at most half a core, and a tenth of one. */
export interface Pace {
  readonly pagesToScan: number;
  readonly sleepMs: number;
}
export const BRISK: Pace = { pagesToScan: 5000, sleepMs: 10 };
export const GENTLE: Pace = { pagesToScan: 1000, sleepMs: 20 };

/** A file of the host's settings, and the value written to it. */
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

const MOST_RECORD_BYTES = 64 * 1024;

/** The schema of the record: nothing but these files is ever written to the host's settings. */
const taken: v.GenericSchema<unknown, Taken> = v.object({
  pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
  startTime: v.number(),
  changes: v.array(
    v.object({
      file: v.picklist(['advisor_mode', 'pages_to_scan', 'sleep_millisecs', 'run']),
      from: v.string(),
      to: v.string(),
    }),
  ),
});

/** The changes to make, in this order. None if KSM runs already: then its pace is somebody's choice. Pure. */
export function changesFor(before: KsmSettings, pace: Pace): SettingChange[] {
  if (before.run === 1) return [];
  const change = (file: string, from: number | string, to: number | string): SettingChange[] =>
    from === to ? [] : [{ file, from: String(from), to: String(to) }];
  return [
    ...(before.advisor === null ? [] : change('advisor_mode', before.advisor, 'none')),
    ...change('pages_to_scan', before.pagesToScan, Math.max(before.pagesToScan, pace.pagesToScan)),
    ...change('sleep_millisecs', before.sleepMs, pace.sleepMs),
    // Also from 2: it has unmerged everything once, and would do so again if it were restored.
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

  /** Restores the settings that a killed process has left changed; returns those changes. */
  recover(): readonly SettingChange[] {
    const left = this.#readRecord();
    if (left === null) {
      // There is no record, or an unreadable one.
      this.#removeRecord();
      return [];
    }
    if (isOwned(left)) return [];
    this.#putBack(left.changes, false);
    return left.changes;
  }

  /**
   * The settings that a killed process has left changed: KSM keeps running at its pace until somebody restores them.
   */
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
   * Switches KSM on.
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

  /** Restores the settings; with `keeps` KSM keeps merging, at the host's own pace. Never throws. */
  end(keeps = false): void {
    const changes = this.#changes;
    if (changes === null) return;
    this.#changes = null;
    this.#putBack(changes, keeps);
  }

  #putBack(changes: readonly SettingChange[], keeps: boolean): void {
    // The merging stops first. An advisor comes last, because it takes control of pages_to_scan.
    for (const { file, from, to } of changes.toReversed().toSorted(byAdvisorLast)) {
      if (keeps && file === 'run') continue;
      const path = join(this.#folder, file);
      try {
        // A value that somebody else has set meanwhile is theirs.
        if (valueIn(readFileSync(path, 'utf8')) === to) writeFileSync(path, from);
      } catch {
        // The other settings can still be restored.
      }
    }
    this.#removeRecord();
  }

  #removeRecord(): void {
    try {
      rmSync(this.#record, { force: true });
    } catch {
      // The record of another user, so this process has changed nothing.
    }
  }

  #takeRecord(changes: readonly SettingChange[]): void {
    const record: Taken = { pid: process.pid, startTime: readStat(process.pid)?.startTime ?? 0, changes };
    try {
      writeFileSync(this.#record, JSON.stringify(record), { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if (!isSystemError(error, 'EEXIST')) {
        // There is no such folder, or it is not writable: work without a record.
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
      const text = readBounded(this.#record, { mostBytes: MOST_RECORD_BYTES, noLink: true }).toString('utf8');
      return v.parse(taken, JSON.parse(text));
    } catch {
      return null;
    }
  }
}

const byAdvisorLast = (a: SettingChange, b: SettingChange): number =>
  Number(a.file === 'advisor_mode') - Number(b.file === 'advisor_mode');

/** The word in brackets, if all possible values are listed. */
function valueIn(text: string): string {
  return /\[([\w-]+)\]/.exec(text)?.[1] ?? text.trim();
}

function isOwned({ pid, startTime }: Taken): boolean {
  const stat = readStat(pid);
  return stat !== null && stat.startTime === startTime && stat.state !== 'Z';
}
