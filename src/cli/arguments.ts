/** What the definitions of commands share: how one is run, and how its numbers are read. */
import { InvalidArgumentError } from 'commander';

/** The option of every command that acts on a herd: its flags and its help. */
export const RUNTIME_DIR = [
  '--runtime-dir <directory>',
  'which herd; else the one that was started in this folder',
] as const;

/** Runs a command; its exit status is the program's. */
export type Run = (command: () => Promise<number>) => Promise<void>;

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('it must be a whole number above 0.');
  return value;
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('it must be a number above 0.');
  return value;
}
