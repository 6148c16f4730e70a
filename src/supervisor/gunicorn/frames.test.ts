import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frame, FrameReader } from './frames.ts';

test('a frame has the length of its JSON before it', () => {
  expect(frame({ a: 'é' })).toEqual(Buffer.from('\0\0\0\x0a{"a":"é"}'));
});

test('frames are the same, however the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.array(fc.nat()), (texts, cuts) => {
      const stream = Buffer.concat(texts.map((text) => frame(text)));
      const ends = [...cuts.map((cut) => cut % (stream.length + 1)), stream.length].toSorted((a, b) => a - b);
      const reader = new FrameReader(10_000);
      let start = 0;
      const read: string[] = [];
      for (const end of ends) {
        read.push(...(reader.read(stream.subarray(start, end)) ?? []));
        start = end;
      }
      expect(read).toEqual(texts.map((text) => JSON.stringify(text)));
    }),
  );
});

test('a frame that is too long is noticed at its header', () => {
  const reader = new FrameReader(10);
  expect(reader.read(Buffer.from('\0\0\0\x0a0123456789'))).toEqual(['0123456789']);
  expect(reader.read(Buffer.from('\0\0\0\x0b'))).toBeNull();
});
