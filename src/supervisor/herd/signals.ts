/**
 * The signals that the supervisor sends. Numbers, since that is what it tells the keeper; those of the kernel as this
 * machine has them, and four real-time signals for what gunicorn's workers have no signal for.
 */
import { constants } from 'node:os';

export const { SIGABRT, SIGKILL, SIGQUIT, SIGTERM, SIGUSR1 } = constants.signals;

/** Finish your requests and become a mold (agent/cowherd_agent/worker/retiring.py). */
export const SIGRETIRE = 44;
/** Serve what is in the listen backlog, then do as at a SIGTERM (agent/cowherd_agent/worker/finishing.py). */
export const SIGFINISH = 45;
/** Tell your requests (agent/cowherd_agent/worker/in_flight.py). */
export const SIGTELL = 46;
/** Let the kernel merge your memory with that of others (agent/cowherd_agent/worker/merge_signal.py). */
export const SIGMERGE = 47;
