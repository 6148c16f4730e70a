import { expect, test } from 'vitest';
import { died, endWhenOver } from './crash-loop.ts';
import type { Draft } from '../../herd/draft.ts';
import { initialState } from '../../herd/state.ts';

test('begins with the third death in a row, keeps the last error, and ends when workers stay up', () => {
  const state = initialState();
  const actions: Draft['actions'] = [];
  const at = (nowMs: number): Draft => ({ state, nowMs, actions, answer: null });
  for (const deaths of [1, 2]) {
    state.deathsInARow = deaths;
    died(at(1000), 'exited with status 1');
    endWhenOver(at(1000));
    expect(state.crashLoop).toBeNull();
  }
  state.deathsInARow = 3;
  died(at(2000), 'exited with status 2');
  state.deathsInARow = 4;
  died(at(3000), 'was ended by SIGSEGV');
  endWhenOver(at(3000));
  expect(state.crashLoop).toEqual({ startedAtMs: 2000, deaths: 4, lastError: 'was ended by SIGSEGV' });
  state.deathsInARow = 0;
  endWhenOver(at(14_000));
  endWhenOver(at(15_000));
  expect(state.crashLoop).toBeNull();
  expect(actions.map((action) => action.do === 'log' && `${action.level}: ${action.text}`)).toEqual([
    'error: Crash loop: 3 workers in a row died soon after their start; the last one exited with status 2',
    'info: The crash loop is over after 12 s and 4 deaths; the last one was ended by SIGSEGV',
  ]);
});
