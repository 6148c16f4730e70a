import fc from 'fast-check';
import { expect, test } from 'vitest';
import { examinePerfData, HEAD_BYTES } from './perf-data.ts';

/** A head as perf writes it, to be followed by one attribute and the data. */
function head({ dataBytes = 1000, size = HEAD_BYTES, big = false } = {}): Buffer {
  const buffer = Buffer.alloc(HEAD_BYTES);
  const put = (offset: number, value: number): number =>
    big ? buffer.writeBigUInt64BE(BigInt(value), offset) : buffer.writeBigUInt64LE(BigInt(value), offset);
  buffer.write(big ? '2ELIFREP' : 'PERFILE2', 'latin1');
  for (const [index, value] of [size, 144, HEAD_BYTES, 144, 248, dataBytes].entries()) put(8 + index * 8, value);
  return buffer;
}

test('a complete file of either byte order, and one from a pipe', () => {
  expect(examinePerfData(head(), 1248)).toEqual({ kind: 'file', problem: null });
  expect(examinePerfData(head({ big: true }), 1248)).toEqual({ kind: 'file', problem: null });
  expect(examinePerfData(head({ size: 16 }), 5000)).toEqual({ kind: 'pipe', problem: null });
});

test('a file that is cut, or was never finished', () => {
  expect(examinePerfData(head(), 1247)).toEqual({
    kind: 'file',
    problem: 'it is cut: 1247 of at least 1248 bytes are there',
  });
  expect(examinePerfData(head({ dataBytes: 0 }), 5000)).toMatchObject({ problem: expect.stringMatching(/no data/) });
  for (const bytes of [3, 8, 15, 20, HEAD_BYTES - 1]) {
    expect(examinePerfData(head().subarray(0, bytes), bytes)).toMatchObject({ problem: 'it ends within its head' });
  }
});

test('files that are not a perf.data', () => {
  expect(examinePerfData(Buffer.from('python 1/1 2.0: faults:\n'), 24)).toEqual({ kind: 'other' });
  expect(examinePerfData(Buffer.alloc(0), 0)).toEqual({ kind: 'other' });
});

test('any bytes are examined without an exception', () => {
  const bytes = fc.uint8Array({ maxLength: HEAD_BYTES });
  const begun = bytes.map((rest) => Buffer.concat([Buffer.from('PERFILE2'), rest]).subarray(0, HEAD_BYTES));
  fc.assert(
    fc.property(
      fc.oneof(
        bytes.map((each) => Buffer.from(each)),
        begun,
      ),
      fc.nat(),
      (buffer, size) => {
        expect(['other', 'file', 'pipe']).toContain(examinePerfData(buffer, size).kind);
      },
    ),
  );
});
