import { expect, test } from 'vitest';
import { compare, compareAll } from './comparing.ts';
import type { Exchange } from './exchange.ts';

const TOKENS = [
  '7gQk2mZpW0rXb4YdT9sVuJ1nHc5LfEaO',
  'Zp0rXb4YdT9sVuJ1nHc5LfEaO7gQk2mW',
  'Xb4YdT9sVuJ1nHc5LfEaO7gQk2mZpW0r',
];

function answer(body: string, changes: Partial<Exchange> = {}): Exchange {
  const headers = [
    ['content-type', 'text/html; charset=utf-8'],
    ['content-length', String(body.length)],
    ['date', `Sat, 28 Nov 2026 19:03:${10 + Math.floor(Math.random() * 49)} GMT`],
  ] as const;
  return { method: 'GET', path: '/', status: 200, headers, body: Buffer.from(body), milliseconds: 1, ...changes };
}

test('the same bytes are identical, whatever the time', () => {
  expect(compare(answer('<p>a'), answer('<p>a'), answer('<p>a'))).toEqual({ kind: 'identical' });
});

test('tokens and times are masked', () => {
  const [first, second, other] = TOKENS.map((token, index) => answer(`<input value="${token}">\n7:0${index} p.m.`));
  expect(compare(first!, second!, other!)).toEqual({ kind: 'masked' });
});

test('the age of an answer from a cache is a time; whether it has one is compared', () => {
  const aged = (...headers: (readonly [string, string])[]): Exchange => {
    const plain = answer('<p>a');
    return { ...plain, headers: [...plain.headers, ...headers] };
  };
  expect(compare(aged(['age', '8']), aged(['age', '8']), aged(['age', '30']))).toEqual({ kind: 'masked' });
  expect(compare(aged(['age', '8']), aged(['age', '8']), aged())).toMatchObject({ kind: 'different' });
});

test('another word, another status, a header more or less is different', () => {
  const one = answer('<p>a');
  expect(compare(one, one, answer('<p>b'))).toMatchObject({
    kind: 'different',
    where: [expect.stringMatching(/^line 2:/)],
  });
  expect(compare(one, one, answer('<p>a', { status: 500 }))).toMatchObject({ kind: 'different' });
  expect(compare(one, one, answer('<p>a', { headers: [...one.headers, ['vary', 'Cookie']] }))).toMatchObject({
    kind: 'different',
  });
  expect(compare(one, one, answer('<p>a', { headers: one.headers.slice(1) }))).toMatchObject({ kind: 'different' });
});

test('where a difference is told, what stands around it is told too', () => {
  const verdict = compare(answer('<p>a red house'), answer('<p>a red house'), answer('<p>a blue house'));
  expect(verdict).toEqual({
    kind: 'different',
    where: ['line 2: "a red house" of gunicorn, "a blue house" of Cowherd'],
  });
});

test('what differs between two answers of gunicorn is set aside, and nothing else', () => {
  const page = (visits: string, rest: string) => answer(`<p>visits:<b>${visits}</b>\n<p>${rest}`);
  expect(compare(page('one', 'x'), page('two', 'x'), page('six', 'x'))).toEqual({
    kind: 'unsteady',
    where: ['line 3'],
  });
  expect(compare(page('one', 'x'), page('two', 'x'), page('six', 'y'))).toMatchObject({ kind: 'different' });
  expect(compare(page('one', 'x'), page('two', 'x'), page('six', 'x\nmore'))).toMatchObject({ kind: 'different' });
});

test('gunicorn that agrees with Cowherd once is unsteady too, if it does not with itself', () => {
  expect(compare(answer('<p>a'), answer('<p>b'), answer('<p>b'))).toEqual({ kind: 'unsteady', where: ['line 2'] });
});

test('a picture is compared byte for byte', () => {
  const picture = (bytes: number[]) =>
    answer('', { body: Buffer.from(bytes), headers: [['content-type', 'image/png']] });
  expect(compare(picture([1, 255]), picture([1, 255]), picture([1, 255]))).toEqual({ kind: 'identical' });
  expect(compare(picture([1, 255]), picture([1, 255]), picture([1, 254]))).toMatchObject({ kind: 'different' });
});

test('answers are paired by their order, and one too few is different', () => {
  const [a, b] = [answer('a'), answer('b', { path: '/b' })];
  expect(compareAll([a, b], [a, b], [a, b])).toEqual([
    { request: 'GET /', verdict: { kind: 'identical' } },
    { request: 'GET /b', verdict: { kind: 'identical' } },
  ]);
  expect(compareAll([a, b], [a, b], [a])[1]).toMatchObject({ request: 'GET /b', verdict: { kind: 'different' } });
});

test('in an answer whose order is of chance, only the order may differ', () => {
  const pages = (...entries: string[]) => [
    answer(entries.map((entry) => `<li>${entry}</li>`).join(''), { path: '/history' }),
  ];
  const rules = [{ pattern: /^\/history/, because: 'drawn', varying: /[de](?= entries)/g }];
  const verdictOf = (cowherd: Exchange[], rulesOfTheApplication = rules) =>
    compareAll(pages('a', 'b'), pages('a', 'b'), cowherd, rulesOfTheApplication)[0]?.verdict;
  expect(verdictOf(pages('b', 'a'))).toEqual({ kind: 'unsteady', where: ['compared in any order: drawn'] });
  expect(verdictOf(pages('b', 'a'), [])).toMatchObject({ kind: 'different' });
  expect(verdictOf(pages('b', 'c'))).toMatchObject({ kind: 'different' });
  expect(verdictOf(pages('a', 'b', '1 d entries'))).toMatchObject({ kind: 'different' });
  expect(verdictOf(pages('b', 'a', 'a'))).toMatchObject({ kind: 'different' });
});
