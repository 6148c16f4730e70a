import type { Bytes } from '../base/units.ts';
import type { HostReport, ProcessSample } from './status.ts';
export class HerdSampler {
  setBudget(_percent: number): void {}
  watch(_pid: number, _role: 'mold' | 'worker', _generation: number): void {}
  forget(_pid: number): void {}
  sampleOf(_pid: number): ProcessSample | null { return null; }
  rssOf(_pid: number | null): Bytes | null { return null; }
  cost(): { budgetPercent: number; spentPercent: number } { return { budgetPercent: 0, spentPercent: 0 }; }
  host(): HostReport { return { memory_total: 0, memory_free: 0, memory_available: 0, page_cache: 0 }; }
  stop(): void {}
}
