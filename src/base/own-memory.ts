import { mebibytes } from './units.ts';

/**
 * The memory that every worker takes for itself, however it is forked: stacks, buffers, its part of the interpreter.
 */
export const WORKER_OWN_BYTES = mebibytes(4);
