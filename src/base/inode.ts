import { lstatSync } from 'node:fs';

/** A file's inode number, unique in its file system; null if there is no file, or if it may not be read. */
export function inodeOf(path: string): number | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.ino ?? null;
  } catch {
    // A folder above is no longer one, or may not be searched.
    return null;
  }
}
