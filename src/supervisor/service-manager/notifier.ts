/**
 * Tells the service manager of this process how the herd is: sd_notify(3). What and when is decided in
 * notifications.ts. The keeper sends it, since Node has no datagram sockets of the Unix family.
 */
import type { KeeperCommand } from '../../agent/messages.ts';
import { monotonicClock } from '../../base/clock.ts';
import type { NotifySocket } from './notify-socket.ts';
import { notification, nothingTold, type NotificationInput } from './notifications.ts';

/** How often to look, where nothing happens; a watchdog may want it more often. */
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

  /** Tells what is new, if anything is. */
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
