/** The agent must handle the signals that the supervisor sends. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SIGFINISH, SIGMERGE, SIGRETIRE, SIGTELL } from './signals.ts';

test.each([
  ['retiring.py', 'SIGRETIRE', SIGRETIRE],
  ['finishing.py', 'SIGFINISH', SIGFINISH],
  ['in_flight.py', 'SIGTELL', SIGTELL],
  ['merge_signal.py', 'SIGMERGE', SIGMERGE],
])('%s handles %s', (file, name, number) => {
  const agent = readFileSync(new URL(`../../../agent/cowherd_agent/worker/${file}`, import.meta.url), 'utf8');
  expect(Number(new RegExp(`^${name}(?:: Final)? = (\\d+)$`, 'm').exec(agent)?.[1])).toBe(number);
});
