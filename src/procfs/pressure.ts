/**
 * /proc/pressure: how long tasks have waited for a resource.
 *
 * Source: Documentation/accounting/psi.rst, "Pressure interface". Absent on kernels before 4.20, without CONFIG_PSI, or
 * with it switched off.
 */
import { readKernelFile } from './read.ts';
import { isSystemError } from '../base/errors.ts';

export const RESOURCES = ['cpu', 'memory', 'io'] as const;
export type Resource = (typeof RESOURCES)[number];

export interface Pressure {
  /** Seconds in which at least one task has waited, since the boot. */
  readonly someSeconds: number;
  /** Seconds in which all tasks have waited; kernels before 5.13 don't say it of the processor. */
  readonly fullSeconds: number | null;
}

export function parsePressure(text: string): Pressure | null {
  const total = (kind: string): number | null => {
    const found = new RegExp(`^${kind} .*\\btotal=(\\d+)$`, 'm').exec(text)?.[1];
    return found === undefined ? null : Number(found) / 1e6;
  };
  const someSeconds = total('some');
  return someSeconds === null ? null : { someSeconds, fullSeconds: total('full') };
}

/** Null where the kernel does not say it. */
export function readPressure(resource: Resource): Pressure | null {
  try {
    const text = readKernelFile(`/proc/pressure/${resource}`);
    return text === null ? null : parsePressure(text);
  } catch (error) {
    // Opening works and reading does not where PSI is compiled in and switched off.
    if (isSystemError(error, 'EOPNOTSUPP', 'EACCES')) return null;
    throw error;
  }
}
