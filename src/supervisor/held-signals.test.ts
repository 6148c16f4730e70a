import { expect, test } from 'vitest';
import { holdSignals } from './held-signals.ts';
import { once } from 'node:events';

test('what comes meanwhile is heard after, in its order, and once', async () => {
  const release = holdSignals();
  const heard: string[] = [];
  const hear = (signal: string): void => void heard.push(signal);
  // Each is waited for: signals that are pending together are handed over in no order.
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
