/**
 * Which callers of a sample can be trusted. Pure.
 *
 * The kernel follows frame pointers. An interpreter built without them (most are) uses that register for other values,
 * so that the frames after the innermost one are random. A chain that reaches the start of a program or a thread is
 * complete. Of any other chain only the innermost frame can be trusted, unless it was unwound with debug data: such a
 * chain ends where there is no debug data (in code that Python has generated), and is right up to there.
 */
import type { Frame } from '../perf/perf-script.ts';

/** Functions at the start of programs and threads in glibc and musl. */
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

/** The kernel's own frames, if they were recorded. */
const KERNEL = /^\[(guest\.)?kernel\b/;

/** The interpreter's main function. With a stripped C library a chain may have no named frame beyond it. */
const INTERPRETER_MAIN = /^(Py_BytesMain|Py_Main|Py_RunMain|main)$/;

export interface Callers {
  /** Innermost first; not empty unless no frame outside the kernel was recorded. */
  readonly frames: readonly Frame[];
  /** Whether the chain is complete. */
  readonly whole: boolean;
}

/** @param unwound whether callers were found with debug data, not by frame pointers */
export function believable(recorded: readonly Frame[], unwound: boolean): Callers {
  const frames = recorded.filter(({ module }) => module === null || !KERNEL.test(module));
  const whole = frames.some(({ name }) => name !== null && (BEGINNINGS.has(name) || INTERPRETER_MAIN.test(name)));
  if (whole) return { frames, whole };
  // An inlined function (no module) proves that the chain was unwound.
  if (!unwound && frames.every(({ module }) => module !== null)) return { frames: frames.slice(0, 1), whole };
  const wrong = frames.findIndex(({ name }, index) => index > 0 && name === null);
  return { frames: wrong < 0 ? frames : frames.slice(0, wrong), whole };
}
