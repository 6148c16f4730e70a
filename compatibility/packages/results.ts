/** Keeps results between runs: one file for each package and interpreter. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Observation } from './observation.ts';
import { RESULTS } from './places.ts';
import type { Task } from './plan.ts';

function fileOf({ package: { name }, python }: Task): string {
  return path.join(RESULTS, `${name.toLowerCase()}-${python}.json`);
}

export function readResult(task: Task): Observation | null {
  const file = fileOf(task);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Observation) : null;
}

/** Writes a result atomically, so that an interrupted run leaves no partial file. */
export function writeResult(task: Task, observation: Observation): void {
  const file = fileOf(task);
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(observation, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}
