/** Finds the runtime directories of possible herds, in which a process listens or has listened. */
import { lstatSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readListeningPaths } from '../../procfs/unix-sockets.ts';
import {
  CONTROL_SOCKET,
  KEEPER_SOCKET,
  listRuntimeDirectories,
} from '../../supervisor/runtime-directory/runtime-directory.ts';

/** What `runtimeBase` returns for each user, for root: [parent directory, pattern of its entries, path below]. */
const BASES_OF_OTHERS = [
  ['/run', /^cowherd$/, ''],
  ['/run/user', /^\d+$/, 'cowherd'],
  ['/tmp', /^cowherd-\d+$/, ''],
] as const;

/** Runtime directories of this user's herds. */
export function ownHerdDirectories(): string[] {
  return herdDirectories().filter((directory) => ownerOf(directory) === process.getuid?.());
}

/** Runtime directories, also custom ones (--runtime-dir), of all herds that this user can ask. Root can ask all. */
export function herdDirectories(): string[] {
  const isRoot = process.getuid?.() === 0;
  const heard = (readListeningPaths() ?? [])
    .filter((path) => [CONTROL_SOCKET, KEEPER_SOCKET].includes(basename(path)))
    .map((path) => dirname(path));
  const listed = [...listRuntimeDirectories(), ...(isRoot ? inBasesOfOthers() : [])];
  return [...new Set([...listed, ...heard])]
    .filter((directory) => {
      const owner = ownerOf(directory);
      return owner !== null && (isRoot || owner === process.getuid?.());
    })
    .sort();
}

function inBasesOfOthers(): string[] {
  return BASES_OF_OTHERS.flatMap(([above, pattern, below]) =>
    namesIn(above)
      .filter((name) => pattern.test(name))
      .map((name) => join(above, name, below)),
  ).flatMap((base) =>
    namesIn(base)
      .map((name) => join(base, name))
      .filter((directory) => namesIn(directory).some((name) => [CONTROL_SOCKET, KEEPER_SOCKET].includes(name))),
  );
}

/** The owner of a directory, which only the owner may write to; null if it is missing or not a directory. */
export function ownerOf(directory: string): number | null {
  try {
    const status = lstatSync(directory);
    return status.isDirectory() ? status.uid : null;
  } catch {
    return null;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
