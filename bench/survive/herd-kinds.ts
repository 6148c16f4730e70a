/** The herds of `make test-survive`, one for each supported worker class. */
import type { DeedKind } from './deeds.ts';

export interface HerdKind {
  readonly name: 'sync' | 'gthread' | 'gevent' | 'asgi' | 'uvicorn';
  readonly workerClass: string;
  /** The object in bench/apps/survive.py: `app` is WSGI, `asgi` is ASGI. */
  readonly app: 'app' | 'asgi';
  readonly arguments: readonly string[];
  /** What too many connections fill first: the descriptors of the workers, or the listen queue. */
  readonly crowdFills: 'descriptors' | 'queue';
  /** What a slowly arriving request occupies. */
  readonly slowClientsHold: 'workers' | 'threads' | 'nobody';
  /** Deeds that can't be done to it. */
  readonly without: readonly DeedKind[];
}

/**
 * Workers reach the limit after about ten seconds: they are recycled all the time, but never right after their start.
 */
const RECYCLING = ['--max-requests', '400', '--max-requests-jitter', '200'];
/** Longer than any visitor's pause, so that only a worker that leaves closes a kept connection. */
const KEEPING = ['--keep-alive', '10'];

export const HERDS: readonly HerdKind[] = [
  {
    name: 'sync',
    workerClass: 'sync',
    app: 'app',
    arguments: RECYCLING,
    crowdFills: 'queue',
    slowClientsHold: 'workers',
    without: [],
  },
  {
    name: 'gthread',
    workerClass: 'gthread',
    app: 'app',
    // Fewer connections than descriptors: a gthread worker ends if it can't accept for lack of descriptors
    // (gunicorn/workers/gthread.py, accept).
    arguments: ['--threads', '3', '--worker-connections', '80', ...KEEPING, ...RECYCLING],
    crowdFills: 'queue',
    slowClientsHold: 'threads',
    without: [],
  },
  {
    name: 'gevent',
    workerClass: 'gevent',
    app: 'app',
    arguments: [...KEEPING, ...RECYCLING],
    crowdFills: 'descriptors',
    slowClientsHold: 'nobody',
    // gevent's hub outlives the worker, so a worker can't become a mold.
    without: ['refork'],
  },
  {
    name: 'asgi',
    workerClass: 'asgi',
    app: 'asgi',
    arguments: [...KEEPING, ...RECYCLING],
    crowdFills: 'descriptors',
    slowClientsHold: 'nobody',
    without: [],
  },
  {
    name: 'uvicorn',
    workerClass: 'uvicorn_worker.UvicornWorker',
    app: 'asgi',
    arguments: [...KEEPING, ...RECYCLING],
    crowdFills: 'descriptors',
    slowClientsHold: 'nobody',
    without: [],
  },
];
