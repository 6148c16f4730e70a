/** Tests that can't run everywhere say what they need. */
import { spawnSync } from 'node:child_process';
import type { TestOptions } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** What is missing, for which the test was skipped; the suite tells it at its end. */
    missing?: string;
  }
}

/** The options of a test or of a group that is skipped unless `missing` is null: "needs root". */
export function needs(...missing: readonly (string | null)[]): TestOptions {
  const first = missing.find((each) => each !== null);
  return first === undefined ? {} : { skip: true, meta: { missing: first } };
}

/** For `needs`: null where the condition holds. */
export function where(holds: boolean, what: string): string | null {
  return holds ? null : what;
}

export const ROOT_NEEDED = where(process.getuid?.() === 0, 'needs root');

/** Of its own, with a loopback interface that is up (iproute2). */
export const NETWORK_NAMESPACES_NEEDED = where(
  spawnSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up']).status === 0,
  'needs network namespaces, and ip of iproute2',
);
