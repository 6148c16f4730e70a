import { expect, it } from 'vitest';
import { outcomeOf } from './slow-client.ts';

const answer = (body: string, length = body.length): string =>
  `HTTP/1.1 200 OK\r\nServer: gunicorn\r\nContent-Length: ${length}\r\n\r\n${body}`;

it('takes the answer to its own number, to the last byte', () => {
  expect(outcomeOf(answer('7 4711 v3\n'), 7, true)).toBe('answered');
});

it.each([
  ['another number', answer('8 4711 v3\n')],
  ['another status', answer('7 4711 v3\n').replace('200 OK', '500 Oops')],
  ['a byte too few', answer('7 4711 v3\n').slice(0, -1)],
  ['a byte too many', `${answer('7 4711 v3\n')}x`],
  ['a head that is cut', 'HTTP/1.1 200 OK\r\nContent-Le'],
])('takes no answer that has %s', (_, received) => {
  expect(outcomeOf(received, 7, true)).toMatch(/^wrong: /);
});

it('tells a request that was whole from one that was not', () => {
  expect(outcomeOf('', 7, false)).toBe('turned away');
  expect(outcomeOf('', 7, true)).toBe('unanswered');
});
