/** The site that a herd serves: a folder with the application, a virtual environment and gunicorn.conf.py. */
import { copyFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { APPS, PYTHON } from '../lib/places.ts';

export class Site {
  readonly folder: string;
  readonly #bind: string;
  readonly #versionFile: string;
  #version = 0;

  constructor(folder: string, versionFile: string, bind: string) {
    this.folder = folder;
    this.#versionFile = versionFile;
    this.#bind = bind;
    mkdirSync(folder);
    copyFileSync(path.join(APPS, 'survive.py'), path.join(folder, 'survive.py'));
    symlinkSync(path.dirname(path.dirname(PYTHON)), path.join(folder, '.venv'));
    this.configure();
    this.writeVersion();
  }

  get python(): string {
    return path.join(this.folder, '.venv', 'bin', 'python');
  }

  get version(): string {
    return `v${this.#version}`;
  }

  /** Writes new code, for the next mold that loads. */
  writeVersion(): void {
    this.#version += 1;
    writeFileSync(this.#versionFile, `${this.version}\n`);
  }

  /** Writes gunicorn.conf.py: the address of the herd, other addresses, and more lines of Python. */
  configure(otherBinds: readonly string[] = [], more = ''): void {
    const text = `bind = ${JSON.stringify([this.#bind, ...otherBinds])}\n${more}`;
    writeFileSync(path.join(this.folder, 'gunicorn.conf.py'), text);
  }

  /** Moves the folder, or the virtual environment in it, away. The returned function brings it back. */
  takeAway(what: 'folder' | 'venv'): () => void {
    const place = what === 'folder' ? this.folder : path.join(this.folder, '.venv');
    const away = `${place}.away`;
    renameSync(place, away);
    return () => renameSync(away, place);
  }
}
