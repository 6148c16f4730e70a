/**
 * Notifies this process's service manager of the herd's state: sd_notify(3). notifications.ts decides what to send and
 * when. The keeper sends it, because Node has no Unix datagram sockets.
 */
import type { KeeperCommand } from '../../agent/messages.ts';
import { monotonicClock } from '../../base/clock.ts';
import type { NotifySocket } from './notify-socket.ts';
import { notification, nothingTold, type NotificationInput } from './notifications.ts';

/** How often to look when nothing happens; a watchdog may need it more often. */
const LOOK_EVERY_MS = 1000;

export class Notifier {
  readonly #socket: NotifySocket;
  readonly #send: (command: KeeperCommand) => void;
  readonly #look: () => Pick<NotificationInput, 'state' | 'requests'>;
  readonly #timer: NodeJS.Timeout;
  #memory = nothingTold;

  constructor(
    socket: NotifySocket,
    send: (command: KeeperCommand) => void,
    look: () => Pick<NotificationInput, 'state' | 'requests'>,
  ) {
    this.#socket = socket;
    this.#send = send;
    this.#look = look;
    this.#timer = setInterval(() => this.tell(), Math.min(LOOK_EVERY_MS, (socket.watchdogMs ?? Infinity) / 4));
    this.#timer.unref();
  }

  /** Sends news, if there is any. */
  tell(): void {
    const { memory, text } = notification(this.#memory, {
      ...this.#look(),
      supervisorPid: process.pid,
      watchdogMs: this.#socket.watchdogMs,
      nowMs: monotonicClock.now(),
    });
    this.#memory = memory;
    if (text !== null) this.#send({ type: 'notify', address: this.#socket.address, text });
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
