/** Paths of everything that a run makes; all of it may be removed. */
import path from 'node:path';
import { CHECKOUT } from '../../bench/lib/places.ts';

export const CACHE = path.join(CHECKOUT, '.cache', 'packages');
export const RESULTS = path.join(CACHE, 'results');
export const TABLE = path.join(CHECKOUT, 'docs', 'compatibility.md');
