/** For tests: a process made of arrays, whose pages are copied when written after a fork. */
import type { Subject } from '../pages/subject.ts';
import type { Mapping } from '../../procfs/maps.ts';
import { PageEntries } from '../../procfs/pagemap.ts';

export const PAGE_BYTES = 4096;

interface Page {
  readonly frame: number;
  readonly bytes: Uint8Array;
  /** A page of a privately mapped file, not written yet. */
  readonly ofFile: boolean;
  /** How many processes map it. */
  users: number;
  swapped: boolean;
}

let lastFrame = 1000;

export class SampleProcess implements Subject {
  readonly pid: number;
  readonly mappings: Mapping[] = [];
  readonly #pages = new Map<number, Page>();
  /** Frame numbers are 0, as for a reader without privileges. */
  hidesFrames = false;
  /** Addresses read without a page there, which would make the kernel map one. */
  readonly wronglyRead: number[] = [];
  /** Numbers of pages that can't be read, as if they had disappeared. */
  readonly unreadable = new Set<number>();

  constructor(pid: number) {
    this.pid = pid;
  }

  readonly memory = { read: (address: number, into: Uint8Array): boolean => this.#read(address, into) };

  map(start: number, pages: number, more: Partial<Mapping> = {}): this {
    const flags = { readable: true, writable: true, executable: false, private: true };
    const mapping = { start, end: start + pages * PAGE_BYTES, ...flags, fileOffset: 0, inode: 0, path: '', ...more };
    this.mappings.push(mapping);
    this.mappings.sort((a, b) => a.start - b.start);
    return this;
  }

  unmap(start: number): void {
    const index = this.mappings.findIndex((mapping) => mapping.start === start);
    const [mapping] = this.mappings.splice(index, 1);
    for (let at = start; at < (mapping?.end ?? 0); at += PAGE_BYTES) this.discard(at);
  }

  /** The number of anonymous pages. */
  get pages(): number {
    return [...this.#pages.values()].filter(({ ofFile }) => !ofFile).length;
  }

  /** Makes a child that shares all pages until one of the two writes. */
  fork(pid: number): SampleProcess {
    const child = new SampleProcess(pid);
    child.mappings.push(...this.mappings);
    for (const [number, page] of this.#pages) {
      page.users += 1;
      child.#pages.set(number, page);
    }
    return child;
  }

  /** Writes a page without changing it: it is copied if it is shared. */
  touch(address: number): Uint8Array {
    const number = Math.floor(address / PAGE_BYTES);
    const page = this.#pages.get(number);
    if (page !== undefined && page.users === 1 && !page.ofFile) return page.bytes;
    if (page !== undefined) page.users -= 1;
    lastFrame += 1;
    const bytes = page === undefined ? new Uint8Array(PAGE_BYTES) : page.bytes.slice();
    this.#pages.set(number, { frame: lastFrame, bytes, ofFile: false, users: 1, swapped: false });
    return bytes;
  }

  /** Maps a page of a file without writing it. */
  readFile(address: number): void {
    lastFrame += 1;
    const page = { frame: lastFrame, bytes: new Uint8Array(PAGE_BYTES), ofFile: true, users: 1, swapped: false };
    this.#pages.set(Math.floor(address / PAGE_BYTES), page);
  }

  discard(address: number): void {
    const number = Math.floor(address / PAGE_BYTES);
    const page = this.#pages.get(number);
    if (page !== undefined) page.users -= 1;
    this.#pages.delete(number);
  }

  /** Moves the page to swap, for all processes that have it. */
  swapOut(address: number): void {
    const page = this.#pages.get(Math.floor(address / PAGE_BYTES));
    if (page !== undefined) page.swapped = true;
  }

  write32(address: number, value: number): void {
    const bytes = this.touch(address);
    new DataView(bytes.buffer).setUint32(address % PAGE_BYTES, value >>> 0, true);
  }

  write64(address: number, value: number): void {
    this.write32(address, value % 2 ** 32);
    this.write32(address + 4, Math.floor(value / 2 ** 32));
  }

  writeText(address: number, text: string): void {
    this.touch(address).set(Buffer.from(`${text}\0`), address % PAGE_BYTES);
  }

  read32(address: number): number {
    const page = this.#pages.get(Math.floor(address / PAGE_BYTES));
    return page === undefined ? 0 : new DataView(page.bytes.buffer).getUint32(address % PAGE_BYTES, true);
  }

  readonly entries = (start: number, end: number): PageEntries => {
    const count = (end - start) / PAGE_BYTES;
    const words = new Uint32Array(count * 2);
    for (let index = 0; index < count; index += 1) {
      const page = this.#pages.get(start / PAGE_BYTES + index);
      if (page === undefined) continue;
      words[index * 2] = this.hidesFrames ? 0 : page.frame;
      const isThere = page.swapped ? 1 << 30 : 1 << 31;
      words[index * 2 + 1] = isThere | (page.ofFile ? 1 << 29 : 0) | (page.users === 1 ? 1 << 24 : 0);
    }
    return new PageEntries(words);
  };

  #read(address: number, into: Uint8Array): boolean {
    for (let done = 0; done < into.length;) {
      const at = address + done;
      if (!this.mappings.some(({ start, end }) => start <= at && at < end)) return false;
      const number = Math.floor(at / PAGE_BYTES);
      if (this.unreadable.has(number)) return false;
      const page = this.#pages.get(number);
      if (page === undefined) this.wronglyRead.push(at);
      const piece = Math.min(into.length - done, PAGE_BYTES - (at % PAGE_BYTES));
      const bytes = page?.bytes ?? new Uint8Array(PAGE_BYTES);
      into.set(bytes.subarray(at % PAGE_BYTES, (at % PAGE_BYTES) + piece), done);
      done += piece;
    }
    return true;
  }
}
