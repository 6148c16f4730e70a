/**
 * Whether others than oneself and root could put something of theirs in the place of a path.
 *
 * Who can write to a folder can rename what is in it, and put another thing there under the same name. So every folder
 * on the way counts, and every link, from the root on. Where nobody else can write to any of them, a path means the same
 * thing from one moment to the next, and a check of what it names holds when it is used.
 */
import { lstatSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSystemError } from './errors.ts';
import { parseMountinfo } from './mountinfo.ts';

const OTHERS_MAY_WRITE = 0o022;
/** In such a folder a name can be taken away only by its owner, the folder's and root (inode(7), S_ISVTX). */
const STICKY = 0o1000;
/** As many as the kernel follows (path_resolution(7)). */
const MOST_LINKS = 40;

export interface Trusting {
  /** Who asks. */
  readonly uid: number;
  /** Whose folders may be on the way too, beside root's and one's own. */
  readonly owners?: readonly number[];
  readonly place?: Place;
}

/** What is known of the machine. */
export interface Place {
  /** In a pid namespace of its own, as containers are. */
  readonly isContainer: () => boolean;
  readonly isMountPoint: (folder: string) => boolean;
}

/**
 * What is wrong with a folder or one above it, in words with its path in front; null where nothing is. What is not there
 * yet can only be made by those who can write to the last folder that is.
 *
 * @param folder absolute
 */
export function whyNotTrusted(folder: string, { uid, owners = [], place = thisMachine }: Trusting): string | null {
  // Whoever owns the root could replace everything. In a user namespace that is host's root, who has another number there.
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
 * Kubernetes mounts an emptyDir volume with mode 0777 and without the sticky bit, and gives a container whose root is
 * read-only no other place. An ordinary user has no workers of another user that could make use of it; root may.
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
