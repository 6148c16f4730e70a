import { expect, test } from 'vitest';
import type { CensusReport } from '../../supervisor/decisions/processes/census.ts';
import { outcomeOf } from './herd-census.ts';

const report: CensusReport = { generation: 3, phase: 'none', path: null, reason: null, seconds: null };

test.each<[string, Partial<CensusReport>, string | null, string | null]>([
  ['it is written', { phase: 'written', path: '/etc/shadow', seconds: 2 }, '/run/herd/census-3', null],
  ['its scout has failed', { phase: 'failed', reason: 'no room' }, null, 'no room'],
  [
    'it takes long',
    { phase: 'under_way', seconds: 61 },
    null,
    'it is not there after 60 s on this busy host; ask again later',
  ],
  ['its mold has died', { phase: 'none' }, null, 'the mold has ended meanwhile'],
  ['a reload has passed', { phase: 'written', generation: 4, path: 'x' }, null, 'generation 3 does not serve any more'],
])('%s', (_what, changes, path, problem) => {
  expect(outcomeOf({ ...report, ...changes }, '/run/herd', 3)).toEqual({ path, problem });
});
