import { expect, test } from 'vitest';
import { countSpans } from './otlp.ts';

const part = (field: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([field * 8 + 2, content.length]), content]);
/** A span with a name, a start time of fixed size, and the kind. */
const span = (kind: number): Buffer =>
  Buffer.concat([
    part(5, Buffer.from('GET /')),
    Buffer.from([7 * 8 + 1, 1, 2, 3, 4, 5, 6, 7, 8]),
    Buffer.from([6 * 8, kind]),
  ]);

test('spans of all scopes and resources are counted, those of a server apart', () => {
  const scopes = [part(2, Buffer.concat([part(2, span(2)), part(2, span(3))])), part(2, part(2, span(2)))];
  const request = Buffer.concat([part(1, Buffer.concat(scopes)), part(1, part(2, part(2, span(1))))]);
  expect(countSpans(request)).toEqual({ spans: 4, ofServer: 2 });
  expect(countSpans(Buffer.alloc(0))).toEqual({ spans: 0, ofServer: 0 });
});

test('what is cut short is no message', () => {
  const request = part(1, part(2, part(2, span(2))));
  expect(() => countSpans(request.subarray(0, request.length - 3))).toThrow('cut short');
});
