/** One stretch of memory as the reference has it, and as one worker has it. */
import type { MemoryReader } from '../../base/memory-reader.ts';

/** A multiple of every pool's size, and aligned to it, so that no pool is cut in two. */
export const WINDOW_BYTES = 1 << 20;

/** Reading a page between two that are wanted costs less than another system call. */
const LARGEST_GAP_PAGES = 4;

export class MemoryWindow {
  readonly words = new Uint32Array(WINDOW_BYTES / 4);
  readonly #bytes = Buffer.from(this.words.buffer);
  readonly #pageBytes: number;
  /** By page: 1 where it may be other than zeros. */
  readonly #filled: Uint8Array;
  start = 0;

  constructor(pageBytes: number) {
    this.#pageBytes = pageBytes;
    this.#filled = new Uint8Array(WINDOW_BYTES / pageBytes);
  }

  /**
   * Reads the pages of the window that are wanted and there; the others are zeros.
   *
   * @param wanted whether the page at this index of the window is to be read; one that is not there must not be
   * @param isThere whether it may be read along, for the sake of its neighbours
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
        // One of them has gone meanwhile: each by itself.
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

  /** Only where something was read: often that is a few pages of hundreds. */
  #clear(): void {
    for (const [page, isFilled] of this.#filled.entries()) {
      if (isFilled === 1) this.#bytes.fill(0, page * this.#pageBytes, (page + 1) * this.#pageBytes);
    }
    this.#filled.fill(0);
  }

  /** Whether a page of this window is byte for byte that of another one. */
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
