/**
 * /proc/PID/mem: the memory of another process, read while it runs.
 *
 * Source: proc_pid_mem(5), fs/proc/base.c (mem_rw). Reading does not stop the process and copies none of its pages. It
 * needs the same rights as ptrace(2): the same user and a dumpable process, or CAP_SYS_PTRACE.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { isSystemError } from '../base/errors.ts';
import type { MemoryReader } from '../base/memory-reader.ts';

/** Opening throws ENOENT if there is no such process, and EACCES for another user's process. */
export class ProcessMemory implements MemoryReader {
  readonly #descriptor: number;

  constructor(pid: number) {
    this.#descriptor = openSync(`/proc/${pid}/mem`, 'r');
  }

  read(address: number, into: Uint8Array): boolean {
    // A 64-bit word that is not an address can't be passed to the system call.
    if (!Number.isSafeInteger(address) || address < 0) return false;
    let done = 0;
    while (done < into.length) {
      let read: number;
      try {
        read = readSync(this.#descriptor, into, done, into.length - done, address + done);
      } catch (error) {
        // Nothing is mapped there (EIO), or the process has ended.
        if (isSystemError(error, 'EIO', 'EFAULT', 'ESRCH', 'EPERM')) return false;
        throw error;
      }
      if (read === 0) return false;
      done += read;
    }
    return true;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
