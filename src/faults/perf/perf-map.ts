/**
 * Names of code that an interpreter generates at run time: /tmp/perf-PID.map, written by CPython 3.12 and newer.
 *
 * A line is `START SIZE NAME`, the first two hexadecimal; CPython's names are `py::QUALNAME:FILENAME`. Sources:
 * tools/perf/Documentation/jit-interface.txt, CPython's Python/perf_trampoline.c (perf_map_write_entry).
 *
 * perf reads the file once, when it first meets the process, so it has no names for code generated later. An entry is
 * written before its code first runs; so the reader here continues with the file whenever an address is unknown. It
 * keeps the file open, to be able to read it after the process has ended and removed it.
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

/** Skips lines that don't look like entries of a map. */
export function parsePerfMap(text: string): Entry[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([0-9a-f]{1,16}) ([0-9a-f]{1,8}) (.{1,1000})$/.exec(line);
    if (match === null) return [];
    const start = Number.parseInt(match[1] ?? '', 16);
    return [{ start, end: start + Number.parseInt(match[2] ?? '', 16), name: match[3] ?? '' }];
  });
}

/** Turns a name such as `py::Shop.total:/srv/shop/models.py` into a frame. Other names are native. */
export function frameOfMap(name: string): ProfileFrame {
  const match = /^py::(.*?):(\/.*|<.*)$/s.exec(name) ?? /^py::(.*):(.*)$/s.exec(name);
  if (match === null) return { name, file: '', language: 'native' };
  return { name: match[1] ?? '', file: match[2] ?? '', language: 'python' };
}

/** A map grows while the process runs. Reading stops after this much. */
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

  /** Reads new entries and returns whether the file has grown. The last entry for an address wins. */
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
/** How long to wait before looking again for a missing map. */
const AGAIN_AFTER_MS = 100;

/** The maps of all processes of a recording. */
export class PerfMaps {
  readonly #maps = new Map<number, GrowingMap>();
  /** When a map was last looked for, by the pids of processes without one. */
  readonly #missing = new Map<number, Milliseconds>();
  readonly #clock: Clock;

  constructor(clock: Clock = monotonicClock) {
    this.#clock = clock;
  }

  /** Null if no name is known for the address. */
  find(pid: number, address: number): ProfileFrame | null {
    const name = this.#mapOf(pid)?.find(address) ?? null;
    return name === null ? null : frameOfMap(name);
  }

  /** Opens the map of a process while the process runs. */
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

/** Looks in the process's own /tmp, under its pid in its own namespace (namespaces(7)), and then in ours. */
function openMap(pid: number): number | null {
  const status = readFile(`/proc/${pid}/status`);
  const ownPid = /^NSpid:.*?(\d+)$/m.exec(status)?.[1] ?? String(pid);
  const owner = Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN);
  const inside = `/tmp/perf-${ownPid}.map`;
  const mountinfo = readFile(`/proc/${pid}/mountinfo`);
  const map = isPlain(inside, mountinfo, sharesMounts(pid)) ? openRegular(`/proc/${pid}/root${inside}`, owner) : null;
  return map ?? openRegular(`/tmp/perf-${pid}.map`, owner);
}

/** File systems served by a process or over a network may never answer. */
const MAY_HANG = /^(?:fuse|nfs|cifs|smb|9p|ceph|afs|autofs|virtiofs|coda)/;

/**
 * Whether a process's map is a plain file of a file system that the kernel itself serves. In its own mount namespace a
 * process decides what is at that path: a file system of its own making, any other file, or a link.
 */
export function isPlain(path: string, mountinfo: string, sharesMounts: boolean): boolean {
  const mounts = parseMountinfo(mountinfo);
  const mount = mountOf(path, mounts);
  // After a chroot(2) to a plain directory the mounts above it are not listed; they are this machine's own.
  if (mount === null) return sharesMounts;
  return mount.point !== path && !MAY_HANG.test(mount.type) && !MAY_HANG.test(mountOf('/', mounts)?.type ?? '');
}

/** Whether a process is in the same mount namespace as this one. */
function sharesMounts(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`) === readlinkSync('/proc/self/ns/mnt');
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

/** Empty if the file is missing or must not be read. */
function readFile(path: string): string {
  try {
    return readKernelFile(path) ?? '';
  } catch (error) {
    if (isSystemError(error)) return '';
    throw error;
  }
}

/** Opens a regular file only if it belongs to the process's user or root, since anybody can put a file into /tmp. */
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
