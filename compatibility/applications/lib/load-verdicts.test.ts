import { expect, test } from 'vitest';
import { countLoad, type LoadRequest } from './load-verdicts.ts';

const request = (sentAtMs: number, changes: Partial<LoadRequest> = {}): LoadRequest => ({
  request: 'GET /',
  sentAtMs,
  endedAtMs: sentAtMs + 5,
  expectedStatus: 200,
  status: 200,
  error: null,
  ...changes,
});
const spans = [
  { phase: 'steady', fromMs: 0 },
  { phase: 'reload', fromMs: 100 },
  { phase: 'steady', fromMs: 200 },
  { phase: 'stop', fromMs: 300 },
] as const;

test('every request is counted once, in the phase in which it was sent', () => {
  const refused = { status: null, error: 'ECONNREFUSED' };
  const counted = countLoad(
    [request(10), request(110), request(210), request(299), request(310), request(320, refused)],
    spans,
  );
  expect(counted).toEqual({
    sent: 6,
    good: 5,
    refusedAfterStop: 1,
    lost: [],
    byPhase: { steady: 3, reload: 1, stop: 2 },
  });
});

test('a connection that is refused before the stop, or reset after it, is lost; so is another status', () => {
  const requests = [
    request(150, { status: null, error: 'ECONNREFUSED' }),
    request(310, { status: null, error: 'read ECONNRESET' }),
    request(250, { status: 502 }),
    request(20, { expectedStatus: 302, status: 302 }),
  ];
  expect(countLoad(requests, spans)).toMatchObject({
    good: 1,
    refusedAfterStop: 0,
    lost: [
      'GET / during reload: ECONNREFUSED',
      'GET / during stop: read ECONNRESET',
      'GET / during steady: status 502, not 200',
    ],
  });
});

test('one that was sent before the stop and is refused when it has begun, is refused after it', () => {
  const late = request(299, { endedAtMs: 305, status: null, error: 'ECONNREFUSED' });
  expect(countLoad([late], spans)).toMatchObject({ refusedAfterStop: 1, lost: [] });
});
