import { expect, test } from 'vitest';
import { ATTACKS, SHORT } from './attacks.ts';
import { NEIGHBOUR_ATTACKS, SHORT_OF_NEIGHBOURS } from './neighbours/attacks.ts';
import { isWell, summarize } from './result.ts';

const none = { processes: 0, files: 0, requests: 0 };

test('the herd holds when an attack does no harm', () => {
  const results = [
    { attack: 'a', harm: [] },
    { attack: 'b', harm: ['the keeper is another one'] },
  ];
  const summary = summarize(results, { processes: 1, files: 2, requests: 3 });
  expect(summary).toEqual({ attacks: 2, held: 1, host_processes_hurt: 1, files_hurt: 2, requests_lost: 3 });
  expect(isWell(summary)).toBe(false);
});

test.each([
  [{ ...none, processes: 1 }, 1, false],
  [{ ...none, files: 1 }, 1, false],
  [{ ...none, requests: 1 }, 1, false],
  [none, 0, false],
  [none, 1, true],
])('%j of %i attacks is well: %s', (losses, attacks, well) => {
  const results = Array.from({ length: attacks }, () => ({ attack: 'a', harm: [] }));
  expect(isWell(summarize(results, losses))).toBe(well);
});

test('each attack has a unique name, and the short run names existing attacks', () => {
  const names = [...ATTACKS, ...NEIGHBOUR_ATTACKS].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(expect.arrayContaining([...SHORT, ...SHORT_OF_NEIGHBOURS]));
});
