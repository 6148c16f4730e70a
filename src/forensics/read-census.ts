/** Reads the census of a process from its file. */
import { readFileSync } from 'node:fs';
import { CowherdError, isSystemError } from '../base/errors.ts';
import type { Mapping } from '../procfs/maps.ts';
import { type Census, parseCensus } from './census.ts';

/**
 * @param mappings of the process that it has to be of
 * @throws CowherdError CENSUS_UNREADABLE
 */
export function readCensus(path: string, mappings: readonly Mapping[]): Census {
  const census = parseCensus(read(path), path);
  const vdso = mappings.find((mapping) => mapping.path === '[vdso]')?.start ?? null;
  if (census.facts.vdso !== vdso) {
    throw new CowherdError('CENSUS_UNREADABLE', { detail: `${path} (it is of another process)` });
  }
  return census;
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new CowherdError('CENSUS_UNREADABLE', { detail: `${path} (${error.code})`, cause: error });
  }
}
