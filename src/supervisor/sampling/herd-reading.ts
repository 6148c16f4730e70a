/** Gathers the readings of the herd's memory at a tick. */
import { ownMemoryCgroup, readCgroupUse } from '../../procfs/cgroup.ts';
import type { HerdReading } from '../herd/events.ts';
import type { Sample } from './sampler.ts';
import type { HerdState } from '../herd/state.ts';

const cgroup = ownMemoryCgroup();

/** Costs some 50 µs if the cgroup is read, otherwise nothing: the samples are already there. */
export function readHerd(state: HerdState, sampleOf: (pid: number) => Sample | null): HerdReading {
  const workers = Object.keys(state.workers).flatMap((key) => {
    const pid = Number(key);
    const sample = sampleOf(pid);
    if (sample === null) return [];
    const { rss, pss, private: privateBytes, unshared } = sample.memory;
    return [{ pid, sampledAtMs: sample.sampledAtMs, rss, pss, private: privateBytes, unshared }];
  });
  const molds = Object.values(state.molds).flatMap(({ pid }) => (pid === null ? [] : (sampleOf(pid) ?? [])));
  const asksCgroup = state.settings?.herd_memory === 'auto' && cgroup !== null;
  return {
    workers,
    pss: workers.reduce((sum, { pss }) => sum + pss, 0) + molds.reduce((sum, { memory: { pss } }) => sum + pss, 0),
    cgroup: asksCgroup ? readCgroupUse(cgroup) : null,
  };
}
