/** Observations for unit tests. */
import { type Package, parseList } from './list.ts';
import type { CowherdRun, GunicornRun, Observation, RolloutSeen } from './observation.ts';

export function packageOf(more = ''): Package {
  const [only] = parseList(`[[package]]\nname = "numpy"\n${more}`);
  if (only === undefined) throw new Error('no package');
  return only;
}

const rollout: RolloutSeen = { failure: null, seconds: 2, requests: 100, wrong: [] };

export const gunicorn: GunicornRun = {
  started: true,
  secondsToServe: 0.5,
  asked: 50,
  failed: [],
  distinct: 50,
  stopSeconds: 0.3,
};

export const cowherd: CowherdRun = {
  started: true,
  secondsToServe: 1,
  policy: 'immortal',
  remarks: [],
  asked: 50,
  wrong: [],
  reload: rollout,
  refork: rollout,
  stop: { status: 0, seconds: 0.4, left: [] },
  warnings: [],
  output: [],
};

export function observationOf(more: Partial<Observation> = {}): Observation {
  return {
    package: 'numpy',
    python: '3.13',
    pythonVersion: '3.13.0',
    fingerprint: 'f',
    commit: 'c',
    at: '2026-11-28T12:00:00.000Z',
    version: '2.5.5',
    gunicornVersion: '27.0.1',
    gunicorn,
    cowherd,
    ...more,
  };
}
