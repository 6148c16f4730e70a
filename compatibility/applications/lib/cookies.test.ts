import { expect, test } from 'vitest';
import { Cookies } from './cookies.ts';

const now = Date.parse('2026-11-28T19:00:00Z');

test('cookies are kept, replaced and dropped', () => {
  const cookies = new Cookies();
  expect(cookies.header()).toBeNull();
  cookies.take('session=a=b==; Path=/; HttpOnly', now);
  cookies.take('csrftoken=1; Max-Age=3600', now);
  expect(cookies.header()).toBe('session=a=b==; csrftoken=1');
  cookies.take('csrftoken=2', now);
  expect(cookies.get('csrftoken')).toBe('2');
  cookies.take('session=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/', now);
  expect(cookies.header()).toBe('csrftoken=2');
  cookies.take('csrftoken=; Expires=Thu, 01 Jan 1970 00:00:00 GMT', now);
  expect(cookies.header()).toBeNull();
});

test('Max-Age has precedence', () => {
  const cookies = new Cookies();
  cookies.take('a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60', now);
  expect(cookies.get('a')).toBe('1');
});
