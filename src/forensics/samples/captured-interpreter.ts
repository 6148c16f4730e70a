/** For tests: a captured interpreter, as the forensics see it. */
import { CapturedProcess, type CapturedVersion } from '../../cpython/samples/captured-process.ts';
import { TypeTable } from '../../cpython/types-outside.ts';
import { MemoryWindow, WINDOW_BYTES } from '../pages/memory-window.ts';
import type { InspectedInterpreter } from '../heap/pool-reading.ts';
import { PAGE_BYTES } from './sample-process.ts';

export function openCapture(version: CapturedVersion): {
  captured: CapturedProcess;
  interpreter: InspectedInterpreter;
} {
  const captured = new CapturedProcess(version);
  const { minor, isCode, isMapped } = captured;
  return { captured, interpreter: { minor, isCode, types: new TypeTable(captured, minor, isMapped, isMapped) } };
}

/** The window around an address; zeros where nothing was captured. */
export function windowAt(captured: CapturedProcess, address: number): MemoryWindow {
  const window = new MemoryWindow(PAGE_BYTES);
  const all = (): boolean => true;
  window.load(captured, Math.floor(address / WINDOW_BYTES) * WINDOW_BYTES, all, all);
  return window;
}
