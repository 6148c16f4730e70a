/** Has a running herd take the census of the serving generation, and waits for it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CowherdError } from '../../base/errors.ts';
import { ask } from '../../supervisor/control/control.ts';
import { CONTROL_VERSION } from '../../supervisor/control/control-messages.ts';
import type { CensusReport } from '../../supervisor/decisions/processes/census.ts';
import { censusPath } from '../../supervisor/runtime-directory/runtime-folder.ts';

export type HerdCensus =
  | { readonly path: string; readonly problem: null }
  /** `problem` says why there is none. */
  | { readonly path: null; readonly problem: string };

const ASK_EVERY_MS = 100;

/** On a busy host a census takes long. It continues after this time and can be asked for later. */
const LONGEST_WAIT_SECONDS = 60;

/**
 * Returns at once if the census was taken before.
 *
 * @param onProgress called with the seconds since the census began; with null at its end
 */
export async function herdCensus(
  directory: string,
  generation: number,
  onProgress?: (seconds: number | null) => void,
): Promise<HerdCensus> {
  try {
    let report = await askFor(directory, true);
    while (isWaitedFor(report, generation)) {
      onProgress?.(report.seconds ?? 0);
      await sleep(ASK_EVERY_MS);
      report = await askFor(directory, false);
    }
    return outcomeOf(report, directory, generation);
  } finally {
    onProgress?.(null);
  }
}

function isWaitedFor(report: CensusReport, generation: number): boolean {
  return (
    report.phase === 'under_way' && report.generation === generation && (report.seconds ?? 0) < LONGEST_WAIT_SECONDS
  );
}

/** The outcome in a report that is no longer waited for. Pure. */
export function outcomeOf(report: CensusReport, directory: string, generation: number): HerdCensus {
  if (report.generation !== generation)
    return { path: null, problem: `generation ${generation} does not serve any more` };
  if (report.phase === 'written') return { path: censusPath(directory, generation), problem: null };
  if (report.phase === 'under_way') {
    return {
      path: null,
      problem: `it is not there after ${LONGEST_WAIT_SECONDS} s on this busy host; ask again later`,
    };
  }
  // The mold that was asked has ended, and its replacement in the same generation has not been asked.
  return { path: null, problem: report.reason ?? 'the mold has ended meanwhile' };
}

async function askFor(directory: string, start: boolean): Promise<CensusReport> {
  const reply = await ask(directory, { type: 'census', version: CONTROL_VERSION, start });
  if (reply.type !== 'census') throw new CowherdError('PROTOCOL_MISMATCH', { detail: `answered with ${reply.type}` });
  return reply.census;
}
