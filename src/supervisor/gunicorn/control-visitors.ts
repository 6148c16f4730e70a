/** The visitors of gunicorn's control socket: frames in, frames out, within bounds. */
import type { Socket } from 'node:net';
import { replyTo, type Herd } from './answers.ts';
import { frame, FrameReader } from './frames.ts';

/** A request has some 60 bytes. */
const LONGEST_REQUEST_BYTES = 16 * 1024;
const MOST_VISITORS = 64;
/** The most requests of one visitor; an interactive gunicornc connects again. */
const MOST_REQUESTS = 1000;
/** gunicorn's own (gunicorn/ctl/server.py): somebody may sit before an interactive gunicornc. */
const IDLE_MS = 300_000;
/** The most bytes of unread answers. `show workers` of 1,000 workers has some 100,000. */
const MOST_UNREAD_BYTES = 1024 * 1024;

export class ControlVisitors {
  readonly #herd: Herd;
  readonly #idleMs: number;
  readonly #there = new Set<Socket>();

  constructor(herd: Herd, idleMs = IDLE_MS) {
    this.#herd = herd;
    this.#idleMs = idleMs;
  }

  letIn(socket: Socket): void {
    // The oldest visitor goes, so that others can connect.
    const [oldest] = this.#there;
    if (this.#there.size >= MOST_VISITORS) oldest?.destroy();
    this.#there.add(socket);
    socket.unref();
    socket.on('close', () => this.#there.delete(socket));
    socket.setTimeout(this.#idleMs, () => socket.destroy());
    socket.on('error', () => {
      // The visitor has gone; nobody waits for the answer.
    });
    this.#hear(socket);
  }

  sendAway(): void {
    for (const socket of this.#there) socket.end();
  }

  #hear(socket: Socket): void {
    const reader = new FrameReader(LONGEST_REQUEST_BYTES);
    let requests = 0;
    // One answer after the other: some wait for the dirty arbiter.
    let answers = Promise.resolve();
    socket.on('data', (chunk: Buffer) => {
      const payloads = reader.read(chunk);
      for (const payload of payloads ?? []) {
        requests += 1;
        if (requests > MOST_REQUESTS) break;
        answers = answers.then(async () => await this.#answer(socket, payload));
      }
      if (payloads === null) socket.destroy();
      else if (requests > MOST_REQUESTS) answers = answers.then(() => void socket.destroy());
    });
  }

  async #answer(socket: Socket, payload: string): Promise<void> {
    if (socket.destroyed) return;
    const reply = await replyTo(payload, this.#herd);
    if (socket.destroyed) return;
    socket.write(frame(reply));
    if (socket.writableLength > MOST_UNREAD_BYTES) socket.destroy();
  }
}
