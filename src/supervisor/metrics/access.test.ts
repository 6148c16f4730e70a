import { describe, expect, test } from 'vitest';
import { isLoopback, judge, parseAddress } from './access.ts';

const asked = { method: 'GET', path: '/metrics', host: '127.0.0.1:9178', authorization: undefined };
const open = { token: null, host: '127.0.0.1' };

test('a scrape of /metrics is answered, also with a query', () => {
  expect(judge(asked, open)).toEqual({ status: 200 });
  expect(judge({ ...asked, path: '/metrics?name=x', method: 'HEAD' }, open)).toEqual({ status: 200 });
});

test.each([
  [{ path: '/' }, 404],
  [{ path: '/metrics/x' }, 404],
  [{ path: undefined }, 404],
  [{ method: 'POST' }, 405],
])('%o is refused with %i', (changes, status) => {
  expect(judge({ ...asked, ...changes }, open)).toMatchObject({ status });
});

describe('the header Host', () => {
  test.each(['127.0.0.1', '10.0.0.7:9178', '[::1]:9178', 'localhost:9178', 'LOCALHOST'])(
    '%s is this machine',
    (host) => {
      expect(judge({ ...asked, host }, open)).toEqual({ status: 200 });
    },
  );

  test.each([undefined, '', 'evil.example', 'evil.example:9178', 'localhost.evil.example', '[::1', 'a:b:c'])(
    '%s is refused',
    (host) => {
      expect(judge({ ...asked, host }, open)).toMatchObject({ status: 400 });
    },
  );

  test('may be the name that is listened on; on a Unix socket there is none to check', () => {
    expect(judge({ ...asked, host: 'shop.internal:9178' }, { token: 't', host: 'shop.internal' }).status).toBe(401);
    expect(judge({ ...asked, host: 'anything' }, { token: null, host: null })).toEqual({ status: 200 });
  });
});

test('a token must be brought, whole and right', () => {
  const access = { token: 'secret', host: '0.0.0.0' };
  const status = (authorization: string | undefined): number => judge({ ...asked, authorization }, access).status;
  expect(status('Bearer secret')).toBe(200);
  for (const wrong of [undefined, '', 'secret', 'Bearer ', 'Bearer secre', 'Bearer secrets', 'Basic secret']) {
    expect(status(wrong)).toBe(401);
  }
});

test('addresses', () => {
  expect(parseAddress('unix:/run/shop/metrics.sock')).toEqual({ path: '/run/shop/metrics.sock' });
  expect(parseAddress('[::1]:9178')).toEqual({ host: '::1', port: 9178 });
  expect(parseAddress('127.0.0.1:0')).toEqual({ host: '127.0.0.1', port: 0 });
  expect(['127.0.0.1', '127.1.2.3', '::1', 'localhost'].every(isLoopback)).toBe(true);
  expect(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.evil.example', '128.0.0.1'].some(isLoopback)).toBe(false);
});
