/**
 * Which callers of a sample are to be believed. Pure.
 *
 * The kernel follows frame pointers, and an interpreter that was built without them (most are) keeps other things in
 * that register: then what follows the innermost frame are values that happened to lie there. A chain that arrives at
 * where a program or a thread begins is whole. Of another one the innermost frame is right, and no more is known; but
 * one that was unwound with debug data ends where there is none (in code that Python has made), and is right until then.
 */
import type { Frame } from '../perf/perf-script.ts';

/** Where programs and threads begin in glibc and musl. */
const BEGINNINGS = new Set([
  '_start',
  '__libc_start_main',
  '__libc_start_main_impl',
  '__libc_start_main@@GLIBC_2.34',
  '__libc_start_call_main',
  '_start_c',
  'libc_start_main_stage2',
  'start_thread',
  'thread_start',
  'clone',
  '__clone',
  'clone3',
  '__clone3',
]);

/** The way from the fault into the kernel, where it was recorded. */
const KERNEL = /^\[(guest\.)?kernel\b/;

/** An interpreter's main function can be the last that a chain has of a stripped C library. */
const INTERPRETER_MAIN = /^(Py_BytesMain|Py_Main|Py_RunMain|main)$/;

export interface Callers {
  /** From the innermost outwards; never empty if there was one. */
  readonly frames: readonly Frame[];
  /** Whether they are all of them. */
  readonly whole: boolean;
}

/** @param unwound with debug data, and not by frame pointers */
export function believable(recorded: readonly Frame[], unwound: boolean): Callers {
  const frames = recorded.filter(({ module }) => module === null || !KERNEL.test(module));
  const whole = frames.some(({ name }) => name !== null && (BEGINNINGS.has(name) || INTERPRETER_MAIN.test(name)));
  if (whole) return { frames, whole };
  // Only unwinding tells of inlined functions.
  if (!unwound && frames.every(({ module }) => module !== null)) return { frames: frames.slice(0, 1), whole };
  const wrong = frames.findIndex(({ name }, index) => index > 0 && name === null);
  return { frames: wrong < 0 ? frames : frames.slice(0, wrong), whole };
}
