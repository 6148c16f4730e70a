/** /proc/cpuinfo: which processor the host has. Source: proc(5); the keys are those of x86 (arch/x86/kernel/cpu/proc.c). */
import { readKernelFile } from './read.ts';

export interface CpuInfo {
  /** Empty where the kernel does not say it, as on ARM. */
  readonly model: string;
  readonly family: string;
}

/** Of the first processor. */
export function parseCpuInfo(text: string): CpuInfo {
  const value = (key: string): string => new RegExp(`^${key}\\s*:\\s*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  return { model: value('model name'), family: value('cpu family') };
}

export function readCpuInfo(): CpuInfo {
  return parseCpuInfo(readKernelFile('/proc/cpuinfo') ?? '');
}
