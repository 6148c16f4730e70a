/**
 * The frames of gunicorn's control protocol (gunicorn/ctl/protocol.py, 25.1 to 27): four bytes, big-endian, with the
 * length of the JSON that follows.
 */
const HEADER_BYTES = 4;

export function frame(message: unknown): Buffer {
  const payload = Buffer.from(JSON.stringify(message));
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(payload.length);
  return Buffer.concat([header, payload]);
}

/** Cuts a stream into the payloads of its frames. */
export class FrameReader {
  readonly #mostBytes: number;
  #pending = Buffer.alloc(0);

  /** @param mostBytes of a payload */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** The payloads that are complete with this chunk; null if a frame is too long, and then nothing more may be read. */
  read(chunk: Buffer): string[] | null {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    const payloads: string[] = [];
    while (this.#pending.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#pending.readUInt32BE();
      if (end > HEADER_BYTES + this.#mostBytes) return null;
      if (this.#pending.length < end) break;
      payloads.push(this.#pending.toString('utf8', HEADER_BYTES, end));
      this.#pending = this.#pending.subarray(end);
    }
    return payloads;
  }
}
