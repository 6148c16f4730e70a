import { expect, test } from 'vitest';
import { mask } from './masking.ts';

test.each([
  ['id=0b7ad5c2-3f4e-4d11-9a52-0f3f5f0c6a11', 'id=<uuid>'],
  ['id=0B7AD5C23F4E4D119A520F3F5F0C6A11', 'id=<uuid>'],
  ['made 2026-11-28T19:03:11.123456+00:00.', 'made <time>.'],
  ['made 2026-11-28 19:03:11,5 UTC', 'made <time>'],
  ['Sat, 28 Nov 2026 19:03:11 GMT', '<time>'],
  ['export-2026-11-28-19-03-11.json 20261128T190311Z', 'export-<time>.json <time>'],
  ['project-1-at-2026-11-28-19-03-910ec585.json', 'project-1-at-<time>-910ec585.json'],
  ['at 7:03 p.m. and 19:03:11', 'at <time> and <time>'],
  ['{"at":1764356591.123,"ms":1764356591123}', '{"at":<epoch>,"ms":<epoch>}'],
  ['Queries took 12.75ms; all of it 0.3 seconds', 'Queries took <duration>; all of it <duration>'],
  ['3 minutes ago, 4 seconds ago, an hour, Just now', '<duration>, <duration>, <duration>, <duration>'],
  ['csrf=7gQk2mZpW0rXb4YdT9sVuJ1nHc5LfEaO', 'csrf=<token>'],
  ['etag "d41d8cd98f00b204e9800998ecf8427e5"', 'etag "<token>"'],
  ['sessionid=9wkq3z0hx71mv5p2d8c6b4n1t0r7y5ue; Path=/', 'sessionid=<token>; Path=/'],
  ['{"query_ms": 1.2524, "num": 3}', '{"query_ms": <duration>, "num": 3}'],
  ['csrf="ImJjNjFmOTU3ZWZlMjVm.aws3BQ.24XxoM0mE7k9uWYRTrEXTlBvUTs"', 'csrf="<token>"'],
  ["script-src 'nonce-rwTFz7qLz/Z8AHSOjpYxEg=='", "script-src 'nonce-<token>'"],
  ['{"secret":"z12qwjf4z0vpoddo","code":"abc"}', '{"secret":"<token>","code":"abc"}'],
  ['"secret":"fufrxbashhwtu3nnnhkjb2cnyykma9cg"', '"secret":"<token>"'],
  ['search-token="MQ.aws-CA.uXxoM-mEzkguWYRTrEXTlBvUTsa"', 'search-token="<token>"'],
  ['{"duration":0.1576683521270752,"ids":[1]}', '{"duration":<duration>,"ids":[1]}'],
  ['session=eyJhbGciOiJIUzI1NiJ9.eyJpZCI6MX0.sig-n_ature', 'session=<token>'],
])('%s', (text, masked) => {
  expect(mask(text).text).toBe(masked);
});

test.each([
  'five errors in 1234 rows of 2026-11-28',
  'a_long_name_in_small_letters_with_123456',
  '{"token":"missing","secret":null,"session":"expired"}',
  'as a secondary matter, as an hourly one',
  'anextraordinarilylongwordwithoutdigits1',
  '{"form": 3, "forms": 12}',
  'A-HEADING-IN-CAPITAL-LETTERS',
  'HTTP status 404, 10.1.2.3, version 3.12.1, port 41847',
  '/static/css/base.css?v=17',
  '$1,234.56',
])('what a server must not make up stays: %s', (text) => {
  expect(mask(text)).toEqual({ text, rules: new Set() });
});

test('the rules that have found something are told', () => {
  expect([...mask('7:03 pm, 3 ms, 4:00').rules].toSorted()).toEqual(['duration', 'time']);
});
