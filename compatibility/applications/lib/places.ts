/** Paths of the applications, and of everything made for them. */
import path from 'node:path';
import { CHECKOUT } from '../../../bench/lib/places.ts';

export { CHECKOUT, COWHERD } from '../../../bench/lib/places.ts';

export const APPLICATIONS = path.resolve(import.meta.dirname, '..');
/** Kept from run to run, and never committed. */
export const CACHE = path.join(CHECKOUT, '.cache', 'applications');
export const PAGE = path.join(CHECKOUT, 'docs', 'applications.md');

/** The folder of an application's own files: its settings, and the program that fills its site. */
export const sourcesOf = (name: string): string => path.join(APPLICATIONS, name);
export const environmentOf = (name: string): string => path.join(CACHE, 'environments', name);
/** A site is always served from the same folder, since applications write down absolute paths. */
export const siteOf = (name: string): string => path.join(CACHE, 'sites', name);
/** A copy of the freshly filled site. */
export const filledOf = (name: string): string => path.join(CACHE, 'filled', name);
export const logsOf = (name: string): string => path.join(CACHE, 'logs', name);
export const resultOf = (name: string): string => path.join(CACHE, 'results', `${name}.json`);
