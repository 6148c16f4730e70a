/** A disk small enough to be filled: a tmpfs, which is unmounted at the end whatever happens. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isSystemError } from '../../src/base/errors.ts';

const SIZE_BYTES = 1024 * 1024;
const CHUNK_BYTES = 4096;

export class SmallDisk {
  readonly folder: string;
  readonly #atExit = (): void => this.#detach();

  private constructor(folder: string) {
    this.folder = folder;
    // Prepended: the disk has to be unmounted before other handlers remove the folders above it.
    process.prependListener('exit', this.#atExit);
  }

  /** Whether this user may mount a disk. Tries it in this folder. */
  static isPossible(folder: string): boolean {
    const disk = SmallDisk.mount(path.join(folder, 'trial'));
    disk?.unmount();
    return disk !== null;
  }

  /** Mounts a disk. Null if this user may not. */
  static mount(folder: string): SmallDisk | null {
    mkdirSync(folder);
    try {
      const options = `size=${SIZE_BYTES},mode=0700`;
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'cowherd-survive', folder], { stdio: 'pipe' });
    } catch {
      rmdirSync(folder);
      return null;
    }
    return new SmallDisk(folder);
  }

  /** Writes until there is no room left. */
  fill(): void {
    for (let chunk = 0; chunk * CHUNK_BYTES <= SIZE_BYTES; chunk += 1) {
      if (!this.#write(`fill-${chunk}`)) return;
    }
    throw new Error(`${this.folder} has more room than it should`);
  }

  /** Whether there is still no room. Another process may have removed files meanwhile. */
  get isFull(): boolean {
    if (!this.#write('more')) return true;
    rmSync(path.join(this.folder, 'more'));
    return false;
  }

  free(): void {
    for (let chunk = 0; chunk * CHUNK_BYTES <= SIZE_BYTES; chunk += 1) {
      rmSync(path.join(this.folder, `fill-${chunk}`), { force: true });
    }
  }

  /** Unmounts the disk. Throws if a process still has a file open there. */
  unmount(): void {
    execFileSync('umount', [this.folder], { stdio: 'pipe' });
    process.removeListener('exit', this.#atExit);
  }

  #detach(): void {
    try {
      execFileSync('umount', ['--lazy', this.folder], { stdio: 'pipe' });
    } catch {
      // The run is ending already, and has reported its own result.
    }
  }

  #write(name: string): boolean {
    const file = path.join(this.folder, name);
    try {
      writeFileSync(file, Buffer.alloc(CHUNK_BYTES));
      return true;
    } catch (error) {
      if (!isSystemError(error, 'ENOSPC')) throw error;
      rmSync(file, { force: true });
      return false;
    }
  }
}
