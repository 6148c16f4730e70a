/** A client of bench/apps/survive.py whose request arrives byte by byte. */
import { connect, type Socket } from 'node:net';

/**
 * `turned away`: the connection was closed without an answer before the request was whole. `unanswered`: it was closed
 * without an answer after that. `wrong`: what is wrong with the answer.
 */
export type SlowOutcome = 'answered' | 'turned away' | 'unanswered' | `wrong: ${string}`;

export class SlowClient {
  /** Resolves to the client's port. */
  readonly connected: Promise<number>;
  readonly #socket: Socket;
  readonly #number: number;
  readonly #closed: Promise<void>;
  #received = '';
  #isWhole = false;
  #isClosed = false;

  constructor(port: number, number: number) {
    this.#number = number;
    const socket = connect({ port, host: '127.0.0.1' });
    this.#socket = socket;
    this.connected = new Promise((resolve, reject) => {
      socket.once('connect', () => resolve(socket.localPort ?? 0));
      socket.once('error', reject);
    });
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#isClosed = true;
        resolve();
      });
    });
    // 'close' follows; the outcome depends on the bytes received until then.
    socket.on('error', () => {});
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.#received += text;
    });
    socket.write(`GET /small?id=${number} HTTP/1.1\r\nHost: slow\r\nConnection: close\r\nX-Slow: `);
  }

  /** Sends one more byte. */
  drip(): void {
    if (!this.#isClosed) this.#socket.write('a');
  }

  /** Sends the rest of the request, and returns the outcome. */
  async finish(): Promise<SlowOutcome> {
    if (!this.#isClosed) {
      this.#isWhole = true;
      this.#socket.write('\r\n\r\n');
    }
    await this.#closed;
    return outcomeOf(this.#received, this.#number, this.#isWhole);
  }
}

/** Judges the bytes received until the connection was closed. Pure. */
export function outcomeOf(received: string, number: number, wasWhole: boolean): SlowOutcome {
  if (received === '') return wasWhole ? 'unanswered' : 'turned away';
  const end = received.indexOf('\r\n\r\n');
  const head = received.slice(0, end);
  const body = received.slice(end + 4);
  const length = /^content-length: *(\d+)$/im.exec(head.replaceAll('\r', ''))?.[1];
  const isRight =
    end >= 0 &&
    head.startsWith('HTTP/1.1 200 ') &&
    body.length === Number(length) &&
    new RegExp(String.raw`^${number} \d+ v\d+\n$`).test(body);
  return isRight ? 'answered' : `wrong: ${JSON.stringify(received.slice(0, 200))}`;
}
