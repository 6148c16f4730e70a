import type { PoolIndex } from './pool-index.ts';
import type { Interpreter } from './pool-reading.ts';
import type { Subject } from './subject.ts';

/** The process that workers are compared with. */
export interface Reference extends Subject {
  /** Null where it is no CPython whose heap is known. */
  readonly interpreter: Interpreter | null;
  readonly pools: PoolIndex;
}
