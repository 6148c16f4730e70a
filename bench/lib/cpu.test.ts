import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { CpuMeter, cpuSeconds } from './cpu.ts';

/** Works until it has used `ms` of CPU time, however long that takes. */
async function busyFor(ms: number): Promise<void> {
  const before = process.cpuUsage();
  while (process.cpuUsage(before).user < ms * 1000);
  await sleep(0);
}

test('work is counted, rest is not', async () => {
  const working = new CpuMeter([process.pid]);
  await working.during(() => busyFor(300));
  const resting = new CpuMeter([process.pid]);
  await resting.during(() => sleep(300));
  // Exact to a tick (10 ms).
  expect(working.cpuSeconds).toBeGreaterThanOrEqual(0.29);
  expect(working.cpuSeconds).toBeGreaterThan(2 * resting.cpuSeconds);
  expect(working.seconds).toBeGreaterThanOrEqual(0.29);
  expect(working.corePercent).toBeCloseTo((100 * working.cpuSeconds) / working.seconds);
});

test('stretches add up', async () => {
  const meter = new CpuMeter([]);
  expect(meter.corePercent).toBeNaN();
  await meter.during(() => sleep(20));
  await meter.during(() => sleep(20));
  expect(meter.seconds).toBeGreaterThan(0.035);
  expect(meter.corePercent).toBe(0);
});

test('a process that is not there is an error', () => {
  expect(() => cpuSeconds(2 ** 30)).toThrow('has ended');
});
