import { describe, expect, test } from 'vitest';
import { adviceOn, overlaps } from './address-holder.ts';
import type { HerdEntry } from '../herd/herds.ts';

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

describe('what to do about the holder', () => {
  const herd: HerdEntry = {
    pid: 7,
    app: 'shop:app',
    listeners: [],
    folder: '/srv/shop',
    runtime_directory: '/run/shop',
    uid: 1000,
    workers_ready: 1,
    workers_wanted: 1,
    phase: null,
    supervised: false,
    problem: null,
  };

  test("this folder's own herd without a supervisor can be adopted", () => {
    expect(adviceOn(herd, { folder: '/srv/shop', uid: 1000 })).toMatch(/^This folder's own herd shop:app .* adopts it/);
  });

  test("another user's herd cannot be adopted", () => {
    const advice = adviceOn(herd, { folder: '/srv/shop', uid: 0 });
    expect(advice).toMatch(/^The herd shop:app of \/srv\/shop \(\/run\/shop\) of user 1000 listens there.* ends it/);
    expect(advice).not.toContain('adopts');
  });
});
