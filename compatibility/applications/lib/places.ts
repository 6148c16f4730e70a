/** Where the applications and what is made for them are. */
import path from 'node:path';
import { CHECKOUT } from '../../../bench/lib/places.ts';

export { CHECKOUT, COWHERD } from '../../../bench/lib/places.ts';

export const APPLICATIONS = path.resolve(import.meta.dirname, '..');
/** Kept from run to run, and never committed. */
export const CACHE = path.join(CHECKOUT, '.cache', 'applications');
export const PAGE = path.join(CHECKOUT, 'docs', 'applications.md');

/** Where an application's own files are: its settings, and what fills its site. */
export const sourcesOf = (name: string): string => path.join(APPLICATIONS, name);
export const environmentOf = (name: string): string => path.join(CACHE, 'environments', name);
/** A site is always served from the same folder, since applications write down absolute paths. */
export const siteOf = (name: string): string => path.join(CACHE, 'sites', name);
/** The site as it was when it had been filled. */
export const filledOf = (name: string): string => path.join(CACHE, 'filled', name);
export const logsOf = (name: string): string => path.join(CACHE, 'logs', name);
export const resultOf = (name: string): string => path.join(CACHE, 'results', `${name}.json`);
