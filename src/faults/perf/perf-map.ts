/**
 * Names of code that an interpreter has made while it ran: /tmp/perf-PID.map, which CPython 3.12 and newer writes.
 *
 * A line is `START SIZE NAME`, the first two hexadecimal; CPython's names are `py::QUALNAME:FILENAME`. Sources:
 * tools/perf/Documentation/jit-interface.txt, CPython's Python/perf_trampoline.c (perf_map_write_entry).
 *
 * perf reads the file once, when it first meets the process; code that is made later has no name there. An entry is
 * written before its code runs for the first time, so the file is read on here whenever an address is not known yet. It
 * is kept open, so that it can be read when the process has ended and taken it away.
 */
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { type Clock, monotonicClock } from '../../base/clock.ts';
import { isSystemError } from '../../base/errors.ts';
import { mountOf, parseMountinfo } from '../../base/mountinfo.ts';
import type { Milliseconds } from '../../base/units.ts';
import { readKernelFile } from '../../procfs/read.ts';
import type { ProfileFrame } from './profile-frame.ts';

interface Entry {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

/** What looks like no line of a map is passed over. The last of several entries for a place counts. */
export function parsePerfMap(text: string): Entry[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([0-9a-f]{1,16}) ([0-9a-f]{1,8}) (.{1,1000})$/.exec(line);
    if (match === null) return [];
    const start = Number.parseInt(match[1] ?? '', 16);
    return [{ start, end: start + Number.parseInt(match[2] ?? '', 16), name: match[3] ?? '' }];
  });
}

/** `py::Shop.total:/srv/shop/models.py` as a frame; other names are native. */
export function frameOfMap(name: string): ProfileFrame {
  const match = /^py::(.*?):(\/.*|<.*)$/s.exec(name) ?? /^py::(.*):(.*)$/s.exec(name);
  if (match === null) return { name, file: '', language: 'native' };
  return { name: match[1] ?? '', file: match[2] ?? '', language: 'python' };
}

/** A map grows while the process runs; this is the most that is read of it. */
const MOST_BYTES = 64 * 1024 * 1024;
const READ_BYTES = 64 * 1024;

class GrowingMap {
  readonly #descriptor: number;
  #done = 0;
  #pending = '';
  #sorted: Entry[] = [];

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  find(address: number): string | null {
    const known = lookUp(this.#sorted, address);
    if (known !== null || !this.#readOn()) return known;
    return lookUp(this.#sorted, address);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** Whether there was anything new. */
  #readOn(): boolean {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    let text = this.#pending;
    const before = this.#done;
    while (this.#done < MOST_BYTES) {
      const count = readSync(this.#descriptor, buffer, 0, buffer.length, this.#done);
      if (count === 0) break;
      text += buffer.toString('utf8', 0, count);
      this.#done += count;
    }
    if (this.#done === before) return false;
    const end = text.lastIndexOf('\n') + 1;
    this.#pending = text.slice(end);
    const byStart = new Map(this.#sorted.map((entry) => [entry.start, entry]));
    for (const entry of parsePerfMap(text.slice(0, end))) byStart.set(entry.start, entry);
    this.#sorted = [...byStart.values()].sort((a, b) => a.start - b.start);
    return true;
  }
}

function lookUp(sorted: readonly Entry[], address: number): string | null {
  let low = 0;
  let high = sorted.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const entry = sorted[middle];
    if (entry === undefined) return null;
    if (address < entry.start) high = middle - 1;
    else if (address >= entry.end) low = middle + 1;
    else return entry.name;
  }
  return null;
}

const MOST_MAPS = 1000;
/** How soon a map that was not there is looked for again. */
const AGAIN_AFTER_MS = 100;

/** The names of all processes of a recording. */
export class PerfMaps {
  readonly #maps = new Map<number, GrowingMap>();
  /** When the maps of other processes were looked for. */
  readonly #missing = new Map<number, Milliseconds>();
  readonly #clock: Clock;

  constructor(clock: Clock = monotonicClock) {
    this.#clock = clock;
  }

  /** Null where nothing is known of the place. */
  find(pid: number, address: number): ProfileFrame | null {
    const name = this.#mapOf(pid)?.find(address) ?? null;
    return name === null ? null : frameOfMap(name);
  }

  /** Opens the map of a process while it is there. */
  look(pid: number): void {
    this.#mapOf(pid);
  }

  close(): void {
    for (const map of this.#maps.values()) map?.close();
    this.#maps.clear();
  }

  #mapOf(pid: number): GrowingMap | null {
    const known = this.#maps.get(pid);
    if (known !== undefined) return known;
    const now = this.#clock.now();
    const looked = this.#missing.get(pid);
    if (looked !== undefined && now - looked < AGAIN_AFTER_MS) return null;
    if (this.#maps.size + this.#missing.size >= MOST_MAPS && looked === undefined) return null;
    const descriptor = openMap(pid);
    if (descriptor === null) {
      this.#missing.set(pid, now);
      return null;
    }
    this.#missing.delete(pid);
    const map = new GrowingMap(descriptor);
    this.#maps.set(pid, map);
    return map;
  }
}

/** In the process's own view of /tmp, under the pid that it has there (namespaces(7)). */
function openMap(pid: number): number | null {
  const status = readFile(`/proc/${pid}/status`);
  const ownPid = /^NSpid:.*?(\d+)$/m.exec(status)?.[1] ?? String(pid);
  const owner = Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN);
  const inside = `/tmp/perf-${ownPid}.map`;
  const mountinfo = readFile(`/proc/${pid}/mountinfo`);
  const map = isPlain(inside, mountinfo, sharesMounts(pid)) ? openRegular(`/proc/${pid}/root${inside}`, owner) : null;
  return map ?? openRegular(`/tmp/perf-${pid}.map`, owner);
}

/** A file system that answers by a process, or over a network, may never answer. */
const MAY_HANG = /^(?:fuse|nfs|cifs|smb|9p|ceph|afs|autofs|virtiofs|coda)/;

/**
 * Whether a process's map is where an interpreter writes it, in a folder of the kernel's own file systems. In a mount
 * namespace of its own a process decides what is at that place: a file system of its making, any other file, a link.
 */
export function isPlain(path: string, mountinfo: string, sharesMounts: boolean): boolean {
  const mounts = parseMountinfo(mountinfo);
  const mount = mountOf(path, mounts);
  // Of a process whose root is a mere folder (chroot(2)) the mounts above are not listed: they are this machine's own.
  if (mount === null) return sharesMounts;
  return mount.point !== path && !MAY_HANG.test(mount.type) && !MAY_HANG.test(mountOf('/', mounts)?.type ?? '');
}

/** Whether a process is in the mount namespace of this one. */
function sharesMounts(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`) === readlinkSync('/proc/self/ns/mnt');
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

/** Empty where there is none, or it may not be read. */
function readFile(path: string): string {
  try {
    return readKernelFile(path) ?? '';
  } catch (error) {
    if (isSystemError(error)) return '';
    throw error;
  }
}

/** Anybody can put a file into /tmp: only the process's own user, or root, is believed. */
function openRegular(path: string, owner: number): number | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isSystemError(error)) return null;
    throw error;
  }
  const stat = fstatSync(descriptor);
  const trusted = stat.uid === 0 || stat.uid === owner || (Number.isNaN(owner) && stat.uid === process.getuid?.());
  if (stat.isFile() && trusted) return descriptor;
  closeSync(descriptor);
  return null;
}
