/** Paths of the applications, the sinks, and everything made for them. */
import path from 'node:path';
import { CHECKOUT } from '../../../bench/lib/places.ts';

const HERE = path.resolve(import.meta.dirname, '..');
export const APPLICATIONS = path.join(HERE, 'applications');
export const SINKS = path.join(HERE, 'sinks');
export const REQUIREMENTS = path.join(HERE, 'requirements.txt');
export const PAGE = path.join(CHECKOUT, 'docs', 'deliveries.md');

/** Kept from run to run, and never committed. */
export const CACHE = path.join(CHECKOUT, '.cache', 'deliveries');
export const ENVIRONMENT = path.join(CACHE, 'environment');
export const RESULTS = path.join(CACHE, 'results.json');
/** The folder of one case under one server: both logs, and what the sink has received. Each run makes it again. */
export const folderOf = (name: string, server: string): string => path.join(CACHE, 'runs', name, server);

/** A program of the environment. */
export const program = (name: string): string => path.join(ENVIRONMENT, 'bin', name);
