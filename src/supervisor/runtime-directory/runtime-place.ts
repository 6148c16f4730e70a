/**
 * A running herd's hold on its runtime directory. A cleaner of /tmp, or the end of a user's session, may remove it
 * under the herd, which would then serve forever and be unmanageable. Missing parts are made again, with the checks of
 * a start.
 */
import type { Server } from 'node:net';
import { join } from 'node:path';
import { CowherdError } from '../../base/errors.ts';
import { inodeOf } from '../../base/inode.ts';
import type { Log } from '../../base/log.ts';
import { CONTROL_SOCKET, HERD_FILE } from './runtime-directory.ts';
import { prepareRuntimeDirectory, restoreMarker } from './runtime-folder.ts';

export interface PlaceOptions {
  readonly directory: string;
  readonly log: Log;
  /** Listens at the control socket. */
  readonly serve: () => Promise<Server>;
  /** Writes the herd file although nothing in it has changed. */
  readonly writeHerdFile: () => void;
}

export class RuntimePlace {
  readonly #options: PlaceOptions;
  #server: Server;
  #folder: number | null;
  #socket: number | null;
  #isMending = false;
  #isClosed = false;
  /** The last problem that was logged; each is logged once. */
  #told = '';

  private constructor(options: PlaceOptions, server: Server) {
    this.#options = options;
    this.#server = server;
    this.#folder = inodeOf(options.directory);
    this.#socket = inodeOf(this.#at(CONTROL_SOCKET));
  }

  /** Listens at the control socket. */
  static async open(options: PlaceOptions): Promise<RuntimePlace> {
    return new RuntimePlace(options, await options.serve());
  }

  /** At each tick: restores missing parts. */
  look(): void {
    if (this.#isMending || this.#isClosed) return;
    const { directory } = this.#options;
    if (inodeOf(directory) === this.#folder && inodeOf(this.#at(CONTROL_SOCKET)) === this.#socket) {
      restoreMarker(directory);
      if (inodeOf(this.#at(HERD_FILE)) === null) this.#options.writeHerdFile();
      return;
    }
    this.#isMending = true;
    void this.#mend().finally(() => {
      this.#isMending = false;
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#server.close();
  }

  async #mend(): Promise<void> {
    const { directory, log, serve, writeHerdFile } = this.#options;
    try {
      // The same folder without its socket keeps its marker; another one must be fit for use.
      if (inodeOf(directory) === this.#folder) restoreMarker(directory);
      prepareRuntimeDirectory(directory);
      if (inodeOf(this.#at(CONTROL_SOCKET)) !== null) {
        throw new CowherdError('RUNTIME_DIRECTORY_BUSY', { detail: directory });
      }
      // First, because closing the server removes the file that has its name at that moment.
      this.#server.close();
      this.#server = await serve();
      this.#folder = inodeOf(directory);
      this.#socket = inodeOf(this.#at(CONTROL_SOCKET));
      if (this.#isClosed) this.#server.close();
      writeHerdFile();
      this.#told = '';
      log.warning(`The runtime directory ${directory} was taken away, or its control socket; it is made again`);
    } catch (error) {
      const problem = error instanceof CowherdError ? `${error.title}: ${error.detail ?? ''}` : String(error);
      if (problem === this.#told) return;
      this.#told = problem;
      log.error(
        `The runtime directory was taken away, and cannot be made again (${problem}): the herd serves on, and commands` +
          ` do not find it; signals to process ${process.pid} still reach it`,
      );
    }
  }

  #at(name: string): string {
    return join(this.#options.directory, name);
  }
}
