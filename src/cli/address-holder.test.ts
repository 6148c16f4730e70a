import { expect, test } from 'vitest';
import { overlaps } from './address-holder.ts';

test.each([
  ['http://127.0.0.1:8000', '127.0.0.1:8000 (Address already in use)', true],
  ['http://127.0.0.1:8000', '127.0.0.1:8001 (Address already in use)', false],
  ['http://127.0.0.2:8000', '127.0.0.1:8000 (Address already in use)', false],
  ['http://0.0.0.0:8000', '127.0.0.1:8000 (Address already in use)', true],
  ['http://127.0.0.1:8000', '0.0.0.0:8000 (Address already in use)', true],
  ['http://[::1]:8000', '::1:8000 (Address already in use)', true],
  ['http://[::]:8000', '127.0.0.1:8000 (Address already in use)', true],
  ['unix:/run/a (1).sock', 'unix:/run/b.sock (another server answers there)', false],
  ['unix:/run/shop.sock', 'unix:/run/shop.sock (another server answers there)', true],
])('%s and %s: %s', (listener, asked, expected) => {
  expect(overlaps(listener, asked)).toBe(expected);
});
