/**
 * Whether users other than this one and root could replace the target of a path.
 *
 * Whoever can write to a folder can rename its entries, and put something else under the same name. Every folder and
 * every link on the way therefore counts, from the root on. If nobody else can write to any of them, a path keeps its
 * meaning, and a check of its target still holds when it is used.
 */
import { lstatSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSystemError } from './errors.ts';
import { parseMountinfo } from './mountinfo.ts';

const OTHERS_MAY_WRITE = 0o022;
/** In such a folder an entry can be removed only by its owner, the folder's owner and root (inode(7), S_ISVTX). */
const STICKY = 0o1000;
/** The kernel's own limit (path_resolution(7)). */
const MOST_LINKS = 40;

export interface Trusting {
  /** The user who asks. */
  readonly uid: number;
  /** Owners accepted for folders on the way, besides root and this user. */
  readonly owners?: readonly number[];
  readonly place?: Place;
}

/** Facts about the machine. */
export interface Place {
  /** Whether this process is in its own pid namespace, as in a container. */
  readonly isContainer: () => boolean;
  readonly isMountPoint: (folder: string) => boolean;
}

/**
 * What is wrong with a folder or one above it, as a sentence with its path; null if nothing is. A missing folder can
 * only be made by users who can write to the last existing one.
 *
 * @param folder absolute
 */
export function whyNotTrusted(folder: string, { uid, owners = [], place = thisMachine }: Trusting): string | null {
  // The owner of the root directory could replace everything anyway. In a user namespace that is the host's root, under
  // another number.
  const trusted = new Set([0, uid, lstatSync('/').uid, ...owners]);
  const left = folder.split('/');
  let at = '/';
  for (let links = 0; ;) {
    const stat = lstatSync(at, { throwIfNoEntry: false });
    if (stat === undefined) return null;
    if (!trusted.has(stat.uid)) return `${at} belongs to user ${stat.uid}`;
    if (stat.isSymbolicLink()) {
      links += 1;
      if (links > MOST_LINKS) return `${at} is one of too many links`;
      const target = readlinkSync(at);
      left.unshift(...target.split('/'));
      at = target.startsWith('/') ? '/' : dirname(at);
    } else if (!stat.isDirectory()) {
      return `${at} is not a directory`;
    } else if (othersMayReplaceIn(stat) && !isGivenToTheContainer(at, stat, uid, place)) {
      return `others can write to ${at} (mode ${modeOf(stat)})`;
    }
    const name = nextName(left);
    if (name === undefined) return null;
    at = join(at, name);
  }
}

/** `1777`, as chmod(1) takes it. */
export function modeOf(stat: Stats): string {
  return (stat.mode & 0o7777).toString(8).padStart(4, '0');
}

function nextName(left: string[]): string | undefined {
  for (;;) {
    const name = left.shift();
    if (name !== '' && name !== '.') return name;
  }
}

function othersMayReplaceIn(stat: Stats): boolean {
  return (stat.mode & OTHERS_MAY_WRITE) !== 0 && (stat.mode & STICKY) === 0;
}

/**
 * Kubernetes mounts an emptyDir volume with mode 0777 and without the sticky bit, and gives a container with a
 * read-only root no other place. An ordinary user has no workers of other users that could exploit this; root may.
 */
function isGivenToTheContainer(folder: string, stat: Stats, uid: number, place: Place): boolean {
  return uid !== 0 && stat.uid === 0 && place.isContainer() && place.isMountPoint(folder);
}

/** PROC_PID_INIT_INO of include/linux/proc_ns.h: the number of the machine's own pid namespace. */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]';

const thisMachine: Place = {
  isContainer: () => {
    try {
      return readlinkSync('/proc/self/ns/pid') !== FIRST_PID_NAMESPACE;
    } catch (error) {
      if (isSystemError(error)) return false;
      throw error;
    }
  },
  isMountPoint: (folder) =>
    parseMountinfo(readFileSync('/proc/self/mountinfo', 'latin1')).some(({ point }) => point === folder),
};
