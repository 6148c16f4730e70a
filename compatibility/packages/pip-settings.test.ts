import { expect, test } from 'vitest';
import { uvSettings } from './pip-settings.ts';

test("pip's index is uv's", () => {
  const config = [
    "global.index-url='https://index.example/simple'",
    String.raw`global.extra-index-url='\nhttps://a.example/simple\nhttps://b.example/simple'`,
    "global.cert='/etc/first.crt'",
    ":env:.cert='/etc/second.crt'",
    ":env:.find-links='/srv/wheels'",
    ":env:.default-timeout='180'",
  ].join('\n');
  expect(uvSettings(config)).toEqual({
    environment: {
      UV_DEFAULT_INDEX: 'https://index.example/simple',
      UV_INDEX: 'https://a.example/simple https://b.example/simple',
      SSL_CERT_FILE: '/etc/second.crt',
      UV_FIND_LINKS: '/srv/wheels',
    },
    args: [],
  });
});

test('an index that is switched off stays so', () => {
  expect(uvSettings("global.no-index='true'").args).toEqual(['--no-index']);
  expect(uvSettings("global.no-index='false'").args).toEqual([]);
});

test('nothing set, nothing said', () => {
  expect(uvSettings('')).toEqual({ environment: {}, args: [] });
});
