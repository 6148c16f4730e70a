/** A stretch of one process's memory, the reference's or a worker's. */
import type { MemoryReader } from '../../base/memory-reader.ts';

/** Windows are aligned to their size, a multiple of every pool size, so that no pool is cut in two. */
export const WINDOW_BYTES = 1 << 20;

/** Reading a few unwanted pages between two wanted ones costs less than another system call. */
const LARGEST_GAP_PAGES = 4;

export class MemoryWindow {
  readonly words = new Uint32Array(WINDOW_BYTES / 4);
  readonly #bytes = Buffer.from(this.words.buffer);
  readonly #pageBytes: number;
  /** For each page: 1 if it may have other words than zeros. */
  readonly #filled: Uint8Array;
  start = 0;

  constructor(pageBytes: number) {
    this.#pageBytes = pageBytes;
    this.#filled = new Uint8Array(WINDOW_BYTES / pageBytes);
  }

  /**
   * Reads the wanted pages of the window at `start`. Other pages are zeros, or read along between wanted ones.
   *
   * @param wanted whether to read the page at this index of the window; must be false for absent pages
   * @param isThere whether the page is present, so that it may be read along with its neighbors
   * @returns the indices of pages that could not be read
   */
  load(
    memory: MemoryReader,
    start: number,
    wanted: (page: number) => boolean,
    isThere: (page: number) => boolean,
  ): number[] {
    this.start = start;
    this.#clear();
    const count = WINDOW_BYTES / this.#pageBytes;
    const failed: number[] = [];
    let page = 0;
    while (page < count) {
      if (!wanted(page)) {
        page += 1;
        continue;
      }
      let last = page;
      for (let next = page + 1; next < count && next - last <= LARGEST_GAP_PAGES && isThere(next); next += 1) {
        if (wanted(next)) last = next;
      }
      const from = page * this.#pageBytes;
      const to = (last + 1) * this.#pageBytes;
      this.#filled.fill(1, page, last + 1);
      if (!memory.read(start + from, this.#bytes.subarray(from, to))) {
        // One of the pages has disappeared meanwhile: reads each separately.
        for (let each = page; each <= last; each += 1) {
          const at = each * this.#pageBytes;
          const target = this.#bytes.subarray(at, at + this.#pageBytes);
          if (memory.read(start + at, target)) continue;
          target.fill(0);
          if (wanted(each)) failed.push(each);
        }
      }
      page = last + 1;
    }
    return failed;
  }

  /** Clears only pages that were read, often a few of hundreds. */
  #clear(): void {
    for (const [page, isFilled] of this.#filled.entries()) {
      if (isFilled === 1) this.#bytes.fill(0, page * this.#pageBytes, (page + 1) * this.#pageBytes);
    }
    this.#filled.fill(0);
  }

  /** Whether a page is byte for byte the same in this window and another one. */
  hasSamePage(other: MemoryWindow, address: number): boolean {
    const from = address - this.start;
    const to = from + this.#pageBytes;
    return this.#bytes.compare(other.#bytes, from, to, from, to) === 0;
  }

  /** The 64 bits at an address of the window, as an exact number up to 2^53. */
  pointer(address: number): number {
    const index = (address - this.start) / 4;
    return (this.words[index + 1] ?? 0) * 2 ** 32 + (this.words[index] ?? 0);
  }

  holds(address: number): boolean {
    return address >= this.start && address + 8 <= this.start + WINDOW_BYTES;
  }
}
