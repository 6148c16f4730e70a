/** Declares the needs of tests that can't run everywhere. */
import { spawnSync } from 'node:child_process';
import type { TestOptions } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** The missing need for which the test was skipped; the suite lists it at its end. */
    missing?: string;
  }
}

/** Options of a test or group. It is skipped unless every `missing` is null; others are reasons like "needs root". */
export function needs(...missing: readonly (string | null)[]): TestOptions {
  const first = missing.find((each) => each !== null);
  return first === undefined ? {} : { skip: true, meta: { missing: first } };
}

/** An argument for `needs`: null if the condition holds. */
export function where(holds: boolean, what: string): string | null {
  return holds ? null : what;
}

export const ROOT_NEEDED = where(process.getuid?.() === 0, 'needs root');

/** Needs a new network namespace with a loopback interface that can be brought up (iproute2). */
export const NETWORK_NAMESPACES_NEEDED = where(
  spawnSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up']).status === 0,
  'needs network namespaces, and ip of iproute2',
);
