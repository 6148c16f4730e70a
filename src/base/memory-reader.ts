/** The memory of another process, as an interface: readers of /proc implement it, parsers use it. */
export interface MemoryReader {
  /**
   * Fills `into` with the memory from `address` on.
   *
   * @returns false if nothing, or not all of it, can be read there; then `into` has no meaning
   */
  readonly read: (address: number, into: Uint8Array) => boolean;
}
