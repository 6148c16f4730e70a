/**
 * Examines the head of a file: is it a perf.data, and is it complete? The contents are left to `perf script`. Pure.
 *
 * Source: tools/perf/Documentation/perf.data-file-format.txt, tools/perf/util/header.h (perf_file_header,
 * perf_pipe_file_header). Numbers have 64 bits, in the byte order of the machine that made the recording.
 */

export type PerfData =
  /** Not a perf.data; perhaps text. */
  { readonly kind: 'other' } | { readonly kind: 'file' | 'pipe'; readonly problem: string | null };

/** How many bytes to pass to `examinePerfData`, or all of a shorter file. */
export const HEAD_BYTES = 104;
const PIPE_HEAD_BYTES = 16;
const MAGIC = 'PERFILE2';
/** The magic number in the other byte order. */
const TURNED_MAGIC = '2ELIFREP';

export function examinePerfData(head: Buffer, fileBytes: number): PerfData {
  const magic = head.toString('latin1', 0, MAGIC.length);
  const isLittle = magic === MAGIC;
  if (!isLittle && magic !== TURNED_MAGIC) {
    // A file that ends within its magic number counts as a recording.
    const isBegun = magic.length > 0 && magic.length < MAGIC.length && MAGIC.startsWith(magic);
    return isBegun ? { kind: 'file', problem: 'it ends within its head' } : { kind: 'other' };
  }
  if (head.length < PIPE_HEAD_BYTES) return { kind: 'file', problem: 'it ends within its head' };
  const word = (offset: number): number =>
    Number(isLittle ? head.readBigUInt64LE(offset) : head.readBigUInt64BE(offset));
  if (word(8) === PIPE_HEAD_BYTES) return { kind: 'pipe', problem: null };
  if (head.length < HEAD_BYTES || word(8) < HEAD_BYTES) return { kind: 'file', problem: 'it ends within its head' };
  // After size and attr_size come the offset and size of two sections.
  const [attributesEnd, dataOffset, dataBytes] = [word(24) + word(32), word(40), word(48)];
  if (dataBytes === 0) return { kind: 'file', problem: 'perf record did not end properly, it has no data' };
  const needed = Math.max(attributesEnd, dataOffset + dataBytes);
  return {
    kind: 'file',
    problem: needed > fileBytes ? `it is cut: ${fileBytes} of at least ${needed} bytes are there` : null,
  };
}
