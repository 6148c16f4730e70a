/**
 * /proc/self/auxv: facts that the kernel passes to a program at its start. An entry is two machine words: type, value.
 *
 * Source: getauxval(3), include/uapi/linux/auxvec.h. Node has no sysconf(3); these two values replace it.
 */
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { type Bytes, bytes } from '../base/units.ts';

const AT_PAGESZ = 6n;
const AT_CLKTCK = 17n;

export interface KernelUnits {
  /** 4096 on x86-64; arm64 kernels may have 16 or 64 KiB. */
  readonly pageSize: Bytes;
  /** USER_HZ, the unit of CPU times in /proc: 100 on every current architecture. */
  readonly ticksPerSecond: number;
}

/** `entries` are 64-bit words. From version 20 on, Node's only 32-bit Linux build is armv7, which is not supported. */
export function parseAuxv(entries: Buffer, order: 'LE' | 'BE' = endianness()): KernelUnits {
  const word = (offset: number): bigint =>
    order === 'LE' ? entries.readBigUInt64LE(offset) : entries.readBigUInt64BE(offset);
  let pageSize = 4096;
  let ticksPerSecond = 100;
  for (let offset = 0; offset + 16 <= entries.length; offset += 16) {
    const type = word(offset);
    if (type === AT_PAGESZ) pageSize = Number(word(offset + 8));
    if (type === AT_CLKTCK) ticksPerSecond = Number(word(offset + 8));
  }
  return { pageSize: bytes(pageSize), ticksPerSecond };
}

let known: KernelUnits | null = null;

/** The units of this machine. Read once, since they can't change while the process runs. */
export function kernelUnits(): KernelUnits {
  known ??= parseAuxv(readFileSync('/proc/self/auxv'));
  return known;
}
