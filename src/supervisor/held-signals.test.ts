import { expect, test } from 'vitest';
import { holdSignals } from './held-signals.ts';
import { once } from 'node:events';

test('held signals are delivered after the release, in order and once', async () => {
  const release = holdSignals();
  const heard: string[] = [];
  const hear = (signal: string): void => void heard.push(signal);
  // Wait for each signal: pending signals are delivered in no particular order.
  for (const signal of ['SIGUSR2', 'SIGTTIN', 'SIGUSR2'] as const) {
    const came = once(process, signal);
    process.kill(process.pid, signal);
    await came;
  }
  process.on('SIGTTIN', hear).on('SIGUSR2', hear);
  release();
  expect(heard).toEqual(['SIGUSR2', 'SIGTTIN', 'SIGUSR2']);
  process.off('SIGTTIN', hear).off('SIGUSR2', hear);
  expect(process.listenerCount('SIGTTIN')).toBe(0);
});
