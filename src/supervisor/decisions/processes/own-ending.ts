/**
 * How long workers have beyond the graceful timeout, to end by themselves.
 *
 * Some of gunicorn's worker classes wait for their requests themselves, at most for the graceful timeout, and then
 * cancel the rest, end the application's lifespan and run its exit hooks (gunicorn/workers/gthread.py, ggevent.py and
 * gasgi.py). A kill at that very moment would lose this cleanup. Other classes wait without a limit.
 */
import type { Settings } from '../../../agent/messages.ts';

/** Serving the listen backlog comes before the wait (agent/cowherd_agent/worker/finishing.py), closing servers too. */
const OWN_ENDING_MS = 3000;
const WITH_A_LIMIT: ReadonlySet<string> = new Set(['gthread', 'gevent', 'gevent_wsgi', 'gevent_pywsgi', 'asgi']);

export function ownEndingMs(settings: Readonly<Pick<Settings, 'worker_class'>> | null): number {
  return settings !== null && WITH_A_LIMIT.has(settings.worker_class) ? OWN_ENDING_MS : 0;
}
