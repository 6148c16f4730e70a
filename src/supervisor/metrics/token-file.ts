/** Reads the file with the token of the metrics endpoint. */
import { lstatSync } from 'node:fs';
import { readBounded } from '../../base/safe-file.ts';

const MOST_BYTES = 4096;
/** Of others and of the group. */
const FOREIGN_READERS = 0o077;

/**
 * @returns the token, without white space around it
 * @throws Error whose message says what is wrong with the file
 */
export function readToken(path: string): string {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new Error(`${path} does not exist`);
  if (!stats.isFile()) throw new Error(`${path} is not a regular file`);
  if (stats.uid !== 0 && stats.uid !== process.getuid?.()) throw new Error(`${path} belongs to another user`);
  if ((stats.mode & FOREIGN_READERS) !== 0) throw new Error(`${path} can be used by others: its mode must be 0600`);
  // Again, of the file that is read: another one may stand there by now.
  const token = readBounded(path, { mostBytes: MOST_BYTES, noLink: true, owners: [0, process.getuid?.() ?? 0] })
    .toString('utf8')
    .trim();
  if (token === '') throw new Error(`${path} is empty`);
  return token;
}
