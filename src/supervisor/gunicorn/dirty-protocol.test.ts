import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeAnswer, encodeRequest } from './dirty-protocol.ts';

// Made by gunicorn 27.0.1: BinaryProtocol.encode_response(1, {...}), encode_error(1, DirtyError("no")).
const RESPONSE = Buffer.from(
  '47440102000000660000000000000001' +
    '2100000001' +
    '1100000006726573756c74' +
    '2100000004' +
    '1100000001' +
    '61' +
    '050000000000000007' +
    '1100000001' +
    '62' +
    '063fe0000000000000' +
    '1100000001' +
    '63' +
    '2000000003' +
    '0101' +
    '00' +
    '1100000002c3a9' +
    '1100000001' +
    '64' +
    '1000000001ff',
  'hex',
);

/** The length in the header is made right here, so that the parts above can be read. */
function sized(message: Buffer): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt32BE(copy.length - 16, 4);
  return copy;
}

test('requests have the bytes of gunicorn', () => {
  expect(encodeRequest({ ask: 'status' }).toString('hex')).toBe('47440111000000000000000000000001');
  expect(encodeRequest({ ask: 'remove', count: 3 }).toString('hex')).toBe(
    '474401120000002800000000000000012100000002' +
      '11000000026f70' +
      '050000000000000002' +
      '1100000005636f756e74' +
      '050000000000000003',
  );
});

test('an answer is read when it is complete', () => {
  const whole = sized(RESPONSE);
  for (let length = 0; length < whole.length; length += 1) expect(decodeAnswer(whole.subarray(0, length))).toBeNull();
  expect(decodeAnswer(whole)).toEqual({ result: { a: 7, b: 0.5, c: [true, null, 'é'], d: '\uFFFD' } });
});

test('anything else is an error, and never more', () => {
  const header = fc.constantFrom('4744010200000020', '4744010300000010', '47440102ffffffff', '0044010200000001');
  fc.assert(
    fc.property(header, fc.uint8Array({ maxLength: 80 }), (start, rest) => {
      const data = Buffer.concat([Buffer.from(`${start}0000000000000001`, 'hex'), rest]);
      try {
        decodeAnswer(data);
      } catch (error) {
        expect(String(error)).toMatch(/^Error: the dirty arbiter /);
      }
    }),
    { numRuns: 2000 },
  );
  const deep = sized(
    Buffer.concat([
      Buffer.from('47440102000000000000000000000001', 'hex'),
      Buffer.alloc(500, Buffer.from('2000000001', 'hex')),
    ]),
  );
  expect(() => decodeAnswer(deep)).toThrow('too deep');
});
