import { lstatSync } from 'node:fs';

/** Which file this is, among those of its file system; null where there is none, or one may not look. */
export function inodeOf(path: string): number | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.ino ?? null;
  } catch {
    // A folder above is none any more, or may not be searched.
    return null;
  }
}
