/** Processes and files that no attack may hurt, in the namespace of the attacks. */
import { spawn, type ChildProcess } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const CONTENT = 'nobody has written here\n';
const NOBODY = 65534;

/** The users of the decoys: root, and another user. */
const OWNERS: readonly number[] = [0, 0, NOBODY - 1];

export class Decoys {
  readonly #processes: ChildProcess[];
  readonly #folder: string;
  readonly #files: string[];

  constructor(folder: string) {
    this.#folder = path.join(folder, 'decoys');
    mkdirSync(this.#folder, { mode: 0o711 });
    this.#files = ['passwd', 'authorized_keys'].map((name) => path.join(this.#folder, name));
    for (const file of this.#files) writeFileSync(file, CONTENT, { mode: 0o600 });
    this.#processes = OWNERS.map((uid) => spawn('sleep', ['3600'], { uid, gid: uid, stdio: 'ignore' }));
  }

  /** A process of root. */
  get pid(): number {
    return this.#processes[0]?.pid ?? 0;
  }

  /** A file of root that only root may read. */
  get file(): string {
    return this.#files[0] ?? '';
  }

  /** Another such file. */
  get otherFile(): string {
    return this.#files[1] ?? '';
  }

  /** How many processes have ended. */
  get processesHurt(): number {
    return this.#processes.filter(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null).length;
  }

  /** How many files were changed, added or removed. */
  get filesHurt(): number {
    const known = new Set(this.#files.map((file) => path.basename(file)));
    const strange = readdirSync(this.#folder).filter((name) => !known.has(name));
    return strange.length + this.#files.filter((file) => !isUntouched(file)).length;
  }

  end(): void {
    for (const each of this.#processes) each.kill('SIGKILL');
  }
}

function isUntouched(file: string): boolean {
  try {
    const { mode, uid } = lstatSync(file);
    return (mode & 0o777) === 0o600 && uid === 0 && readFileSync(file, 'utf8') === CONTENT;
  } catch {
    return false;
  }
}
