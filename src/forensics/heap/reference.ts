import type { PoolIndex } from './pool-index.ts';
import type { InspectedInterpreter } from './pool-reading.ts';
import type { Subject } from '../pages/subject.ts';

/** The process that workers are compared with. */
export interface Reference extends Subject {
  /** Null unless it is a CPython whose heap is known. */
  readonly interpreter: InspectedInterpreter | null;
  readonly pools: PoolIndex;
}
