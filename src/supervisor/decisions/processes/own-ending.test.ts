import { expect, test } from 'vitest';
import { ownEndingMs } from './own-ending.ts';

test('worker classes that limit their wait for requests have time to end afterwards', () => {
  expect(ownEndingMs({ worker_class: 'asgi' })).toBeGreaterThan(1000);
  expect(ownEndingMs({ worker_class: 'sync' })).toBe(0);
  expect(ownEndingMs({ worker_class: 'uvicorn_worker.UvicornWorker' })).toBe(0);
  expect(ownEndingMs(null)).toBe(0);
});
