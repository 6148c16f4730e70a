/** What the checkout's interpreter can do, by its version: what is expected of a herd follows from that. */
import { execFileSync } from 'node:child_process';
import { PYTHON } from './cowherd.ts';
import { where } from './needs.ts';

const minor = Number(execFileSync(PYTHON, ['-c', 'import sys; print(sys.version_info[1])'], { encoding: 'utf8' }));

/** The policies that it can have, the lowest first. */
export const AVAILABLE = ['stock', 'instagram', 'freeze', ...(minor >= 12 ? ['immortal'] : [])];
/** What `auto` takes. */
export const BEST = minor >= 12 ? 'immortal' : 'freeze';

/** For `needs`. */
export const IMMORTAL_NEEDED = where(minor >= 12, 'needs CPython 3.12 or newer, for immortal objects');
export const PERF_NAMES_NEEDED = where(minor >= 12, 'needs CPython 3.12 or newer, which names functions for perf');
