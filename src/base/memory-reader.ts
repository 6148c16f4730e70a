/** Memory of another process, as those see it who only look: readers of /proc give it, parsers take it. */
export interface MemoryReader {
  /**
   * Fills `into` with the memory from `address` on.
   *
   * @returns false where nothing can be read there, or not all of it; then `into` has no meaning
   */
  readonly read: (address: number, into: Uint8Array) => boolean;
}
