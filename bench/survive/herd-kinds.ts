/** The herds of `make test-survive`, one for each worker class that is served. */
import type { DeedKind } from './deeds.ts';

export interface HerdKind {
  readonly name: 'sync' | 'gthread' | 'gevent' | 'asgi' | 'uvicorn';
  readonly workerClass: string;
  /** Of bench/apps/survive.py: WSGI or ASGI. */
  readonly app: 'app' | 'asgi';
  readonly arguments: readonly string[];
  /** What more connections than it can take fill first: the descriptors of its workers, or the listen queue. */
  readonly crowdFills: 'descriptors' | 'queue';
  /** A request that is slow to arrive holds a worker or a thread, or nobody. */
  readonly slowClientsHold: 'workers' | 'threads' | 'nobody';
  /** What can't be done to it. */
  readonly without: readonly DeedKind[];
}

/** Workers reach it after some ten seconds, so that they are recycled all the time, and never as soon as they start. */
const RECYCLING = ['--max-requests', '400', '--max-requests-jitter', '200'];
/** Longer than any visitor pauses: no connection that is kept is closed but by a worker that leaves. */
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
    // A gthread worker that can accept no more for lack of descriptors ends (gunicorn/workers/gthread.py, accept): so
    // fewer connections than it has descriptors.
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
    // Its hub outlives the worker.
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
