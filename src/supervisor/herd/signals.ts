/**
 * The signals that the supervisor sends, as numbers, because the keeper takes numbers. The kernel's signals have this
 * machine's numbers. Four real-time signals are for orders that gunicorn's workers have no signal for.
 */
import { constants } from 'node:os';

export const { SIGABRT, SIGKILL, SIGQUIT, SIGTERM, SIGUSR1 } = constants.signals;

/** Finish your requests and become a mold (agent/cowherd_agent/worker/retiring.py). */
export const SIGRETIRE = 44;
/** Serve the listen backlog, then do as at a SIGTERM (agent/cowherd_agent/worker/finishing.py). */
export const SIGFINISH = 45;
/** Report your requests in flight (agent/cowherd_agent/worker/in_flight.py). */
export const SIGTELL = 46;
/** Let the kernel merge your memory with that of other processes (agent/cowherd_agent/worker/merge_signal.py). */
export const SIGMERGE = 47;
