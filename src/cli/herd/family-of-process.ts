/** Finds the process that a given one is compared with, and the other processes forked from it. */
import { CowherdError, isSystemError } from '../../base/errors.ts';
import type { Family } from '../../forensics/look/look.ts';
import { familyOf, layoutOf, relativesOf } from '../../forensics/look/processes.ts';
import { readMaps } from '../../procfs/maps.ts';
import { moldsOfHerds } from './molds-of-herds.ts';

interface FamilyOptions {
  readonly reference?: number;
  readonly runtimeDir?: string;
}

/** @throws CowherdError PROCESS_NOT_FOUND, PROCESS_NOT_READABLE, NOT_FORKED, REFERENCE_LOST */
export async function familyOfProcess(
  pid: number,
  { reference: given, runtimeDir }: FamilyOptions = {},
): Promise<Family> {
  const layout = layoutOfProcess(pid);
  const relatives = layout === null ? [] : relativesOf(pid, layout);
  const plain = {
    policy: null,
    collectorCalledBy: null,
    isWarmedUp: false,
  };
  if (given !== undefined) {
    if (layoutOfProcess(given) !== layout || layout === null) {
      throw new CowherdError('NOT_FORKED', {
        detail: `processes ${pid} and ${given} were not forked from the same parent`,
      });
    }
    return { reference: given, workers: [pid], isSibling: true, ...plain };
  }
  const found = familyOf(pid, relatives, await moldsOfHerds(runtimeDir));
  if (!('kind' in found)) return { ...found, isSibling: false, ...plain };
  if (found.kind === 'alone') throw new CowherdError('NOT_FORKED', { detail: `process ${pid}` });
  const siblings = found.siblings.join(', ');
  throw new CowherdError('REFERENCE_LOST', {
    detail: `process ${pid}; forked from the same parent: ${siblings}`,
    advice: `Compare it with one of those: cowherd why ${pid} --reference ${found.siblings[0] ?? 'PID'}.`,
  });
}

function layoutOfProcess(pid: number): string | null {
  try {
    const mappings = readMaps(pid);
    if (mappings === null) throw new CowherdError('PROCESS_NOT_FOUND', { detail: `process ${pid}` });
    return layoutOf(mappings);
  } catch (error) {
    if (!isSystemError(error, 'EACCES', 'EPERM')) throw error;
    throw new CowherdError('PROCESS_NOT_READABLE', { detail: `process ${pid} (${error.code})`, cause: error });
  }
}
