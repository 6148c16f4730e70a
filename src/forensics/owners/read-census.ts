/** Reads the census of a process from a file. */
import { CowherdError, isSystemError } from '../../base/errors.ts';
import { readBounded } from '../../base/safe-file.ts';
import type { Mapping } from '../../procfs/maps.ts';
import { type Census, parseCensus } from './census.ts';

/** The census of a heap of 50 GiB; a census takes about 1% of its heap. */
const MOST_BYTES = 512 * 1024 * 1024;

/**
 * @param mappings the mappings of the process that the census has to belong to
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
    return readBounded(path, { mostBytes: MOST_BYTES });
  } catch (error) {
    const why = isSystemError(error) ? error.code : (error as Error).message;
    throw new CowherdError('CENSUS_UNREADABLE', { detail: `${path} (${why})`, cause: error });
  }
}
