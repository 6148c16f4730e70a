/**
 * /proc/PID/mem: the memory of another process, read while it runs.
 *
 * Source: proc_pid_mem(5), fs/proc/base.c (mem_rw). Reading does not stop the process, and copies nothing there. It
 * needs what ptrace(2) would need: the same user and a dumpable process, or CAP_SYS_PTRACE.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { isSystemError } from '../base/errors.ts';
import type { MemoryReader } from '../base/memory-reader.ts';

/** Errors of opening are thrown: ENOENT for no such process, EACCES for one of another user. */
export class ProcessMemory implements MemoryReader {
  readonly #descriptor: number;

  constructor(pid: number) {
    this.#descriptor = openSync(`/proc/${pid}/mem`, 'r');
  }

  read(address: number, into: Uint8Array): boolean {
    // A word of 64 bits that is no address; the system call could not be asked for it.
    if (!Number.isSafeInteger(address) || address < 0) return false;
    let done = 0;
    while (done < into.length) {
      let read: number;
      try {
        read = readSync(this.#descriptor, into, done, into.length - done, address + done);
      } catch (error) {
        // Nothing is mapped there (EIO), or the process is gone.
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
