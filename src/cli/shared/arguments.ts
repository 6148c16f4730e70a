/** Shared by the definitions of commands: how a command is run, and how numbers are parsed. */
import { InvalidArgumentError } from 'commander';

/** The flags and help of the option that every command on a herd has. */
export const RUNTIME_DIR = [
  '--runtime-dir <directory>',
  'which herd; else the one that was started in this folder',
] as const;

/** Runs a command. Its exit status becomes the program's. */
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
