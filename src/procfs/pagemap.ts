/**
 * /proc/PID/pagemap: 64 bits for each page of a process.
 *
 * Source: Documentation/admin-guide/mm/pagemap.rst, fs/proc/task_mmu.c (pte_to_pagemap_entry). Bits 0 to 54 are the
 * page frame number, all zero for a reader without CAP_SYS_ADMIN. Bit 56: no other process maps the page; 61: a page of
 * a file or of shared memory; 62: in swap; 63: present.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { isSystemError } from '../base/errors.ts';

const ENTRY_BYTES = 8;
/** The entries for 16 MiB of 4-KiB pages. */
const PIECE_BYTES = 4096 * ENTRY_BYTES;

// Masks for the upper half of an entry.
const PRESENT = 1 << 31;
const SWAPPED = 1 << 30;
const OF_FILE = 1 << 29;
const EXCLUSIVE = 1 << 24;
const FRAME_HIGH = 0x007f_ffff;

/** The entries of a run of pages. */
export class PageEntries {
  readonly #words: Uint32Array;
  readonly count: number;

  /** `words` has each entry's lower half, then its upper half, as stored by a little-endian machine. */
  constructor(words: Uint32Array) {
    this.#words = words;
    this.count = words.length >> 1;
  }

  /** Whether any page is present or in swap. Entries of other pages may be nonzero, with the kernel's own marks. */
  get hasAny(): boolean {
    for (let at = 1; at < this.#words.length; at += 2) {
      if (((this.#words[at] ?? 0) & (PRESENT | SWAPPED)) !== 0) return true;
    }
    return false;
  }

  /** The entries from one page to before another, without copying them. */
  slice(first: number, end: number): PageEntries {
    return new PageEntries(this.#words.subarray(first * 2, end * 2));
  }

  isPresent(page: number): boolean {
    return (this.#high(page) & PRESENT) !== 0;
  }

  isSwapped(page: number): boolean {
    return (this.#high(page) & SWAPPED) !== 0;
  }

  /** Anonymous pages belong to no file, or are a written private copy of a file's page. */
  isAnonymous(page: number): boolean {
    return (this.#high(page) & (PRESENT | OF_FILE)) >>> 0 === PRESENT >>> 0;
  }

  /** Whether only this process maps the page. */
  isExclusive(page: number): boolean {
    return (this.#high(page) & EXCLUSIVE) !== 0;
  }

  /** The page frame number; 0 if the reader is not privileged to see it. */
  frame(page: number): number {
    return (this.#high(page) & FRAME_HIGH) * 2 ** 32 + (this.#words[page * 2] ?? 0);
  }

  #high(page: number): number {
    return this.#words[page * 2 + 1] ?? 0;
  }
}

/** An open pagemap. Opening throws ENOENT if there is no such process, and EACCES for another user's process. */
export class Pagemap {
  readonly #descriptor: number;
  readonly #pageBytes: number;

  constructor(pid: number, pageBytes: number) {
    this.#descriptor = openSync(`/proc/${pid}/pagemap`, 'r');
    this.#pageBytes = pageBytes;
  }

  /**
   * The entries from `start` to before `end`; pages that can't be read count as not present.
   *
   * @param onPiece called after each piece, since the kernel looks up every page, in tens of milliseconds per gigabyte
   */
  entries(start: number, end: number, onPiece?: () => void): PageEntries {
    const count = Math.ceil((end - start) / this.#pageBytes);
    const words = new Uint32Array(count * 2);
    const target = new Uint8Array(words.buffer);
    const position = (start / this.#pageBytes) * ENTRY_BYTES;
    let done = 0;
    while (done < target.length) {
      let read: number;
      try {
        const length = Math.min(target.length - done, PIECE_BYTES);
        read = readSync(this.#descriptor, target, done, length, position + done);
      } catch (error) {
        // The process has ended.
        if (isSystemError(error, 'ESRCH', 'EIO', 'EFAULT')) break;
        throw error;
      }
      if (read === 0) break;
      done += read;
      onPiece?.();
    }
    return new PageEntries(words);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
