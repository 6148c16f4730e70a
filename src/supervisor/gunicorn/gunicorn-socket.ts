/**
 * Keeps gunicorn's control socket open where the settings want it. The path is the user's, and by default the same for
 * all servers of a user: while another server has it, this one waits.
 */
import { createServer } from 'node:net';
import type { ControlSocket, KeeperCommand } from '../../agent/messages.ts';
import { isSystemError } from '../../base/errors.ts';
import { inodeOf } from '../../base/inode.ts';
import type { Log } from '../../base/log.ts';
import { closeSocketFile, listenAt, type SocketFile } from '../../base/socket-file.ts';
import type { Herd } from './answers.ts';
import { ControlVisitors } from './control-visitors.ts';

/** How many looks pass before the next attempt. */
const LOOKS_BETWEEN_ATTEMPTS = 5;

export interface GunicornSocketOptions {
  readonly herd: Herd;
  readonly log: Log;
  readonly send: (command: KeeperCommand) => void;
}

export class GunicornSocket {
  readonly #options: GunicornSocketOptions;
  readonly #visitors: ControlVisitors;
  #wanted: Pick<ControlSocket, 'path' | 'mode' | 'is_chosen'> | null = null;
  #open: SocketFile | null = null;
  #isOpening = false;
  #looksToWait = 0;
  /** The last problem that was logged; each is logged once. */
  #told = '';

  constructor(options: GunicornSocketOptions) {
    this.#options = options;
    this.#visitors = new ControlVisitors(options.herd);
  }

  /** Opens the socket that these settings want, and closes any other. */
  use(wanted: ControlSocket | null): void {
    const isSame = wanted?.path === this.#wanted?.path && wanted?.mode === this.#wanted?.mode;
    this.#wanted = wanted;
    if (isSame) return;
    this.#shut();
    this.#told = '';
    this.#attempt();
  }

  /** At each tick: opens a socket that is not open, or whose file was removed. */
  look(): void {
    if (this.#open !== null && inodeOf(this.#open.path) !== this.#open.inode) this.#shut();
    if (this.#wanted === null || this.#open !== null) return;
    this.#looksToWait -= 1;
    if (this.#looksToWait <= 0) this.#attempt();
  }

  close(): void {
    this.#wanted = null;
    this.#shut();
  }

  #shut(): void {
    if (this.#open === null) return;
    closeSocketFile(this.#open);
    this.#open = null;
    this.#visitors.sendAway();
  }

  #attempt(): void {
    const wanted = this.#wanted;
    if (wanted === null || this.#isOpening) return;
    this.#looksToWait = LOOKS_BETWEEN_ATTEMPTS;
    this.#isOpening = true;
    const server = createServer((socket) => this.#visitors.letIn(socket));
    void listenAt(server, wanted.path, wanted.mode)
      .then((opened) => this.#opened(opened, wanted))
      .catch((error: unknown) => this.#failed(error, wanted))
      .finally(() => {
        this.#isOpening = false;
        // The settings may have changed meanwhile.
        if (this.#wanted !== null && this.#wanted.path !== wanted.path) this.#attempt();
      });
  }

  #opened(opened: SocketFile, { path, mode }: { path: string; mode: number }): void {
    this.#open = opened;
    if (this.#wanted?.path !== path || this.#wanted.mode !== mode) {
      this.#shut();
      return;
    }
    this.#told = '';
    this.#options.send({ type: 'remove_at_end', path, inode: opened.inode });
    this.#options.log.info(`Control socket listening at ${path}`);
  }

  /** Nobody has asked for gunicorn's default path, which may not be for this server: a service has no home, say. */
  #failed(error: unknown, { is_chosen: isChosen }: { is_chosen: boolean }): void {
    const problem = isSystemError(error) || error instanceof Error ? error.message : String(error);
    if (problem === this.#told || this.#wanted === null) return;
    this.#told = problem;
    this.#options.log[isChosen ? 'warning' : 'info'](`gunicornc does not reach this herd: ${problem}`);
  }
}
