import { expect, test } from 'vitest';
import type { Action } from '../herd/events.ts';
import { isBinding } from './binding.ts';

const log: Action = { do: 'log', level: 'info', text: 'x' };

test('an accepted order, a signal and an order for a mold bind a successor; what is only told or looked at does not', () => {
  expect(isBinding({ actions: [log, { do: 'wake', atMs: 5 }, { do: 'ask_keeper' }], answer: null })).toBe(false);
  expect(isBinding({ actions: [log, { do: 'signal', pid: 5, signal: 15 }], answer: null })).toBe(true);
  const message = { type: 'exit', final: false } as const;
  expect(isBinding({ actions: [{ do: 'tell_mold', generation: 1, message }], answer: null })).toBe(true);
  expect(isBinding({ actions: [], answer: { accepted: true, text: 'x', generation: null } })).toBe(true);
});
