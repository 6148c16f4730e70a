import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { manualClock, monotonicClock } from './clock.ts';
import { milliseconds } from './units.ts';

test('the clock counts from the start of the machine, as CLOCK_MONOTONIC does', () => {
  // /proc/uptime is CLOCK_BOOTTIME (fs/proc/uptime.c): the two differ by the time the machine was suspended.
  const uptimeMs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
  expect(monotonicClock.now()).toBeGreaterThan(0);
  expect(monotonicClock.now()).toBeLessThanOrEqual(uptimeMs + 1000);
});

test('the clock never goes back, and both units agree', () => {
  const first = monotonicClock.now();
  const between = Number(monotonicClock.nowNs()) / 1e6;
  const last = monotonicClock.now();
  expect(between).toBeGreaterThanOrEqual(first - 0.001);
  expect(last).toBeGreaterThanOrEqual(between - 0.001);
});

test('a manual clock moves only when advanced', () => {
  const clock = manualClock(milliseconds(5));
  expect(clock.now()).toBe(5);
  clock.advance(milliseconds(2.5));
  expect(clock.now()).toBe(7.5);
  expect(clock.nowNs()).toBe(7_500_000n);
});
