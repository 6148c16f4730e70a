/**
 * The part of gunicorn's binary protocol that its dirty arbiter answers about itself with (gunicorn/dirty/protocol.py
 * and tlv.py, 25 to 27): 16 bytes of header, then a value in types, lengths and values. Pure.
 */

const HEADER_BYTES = 16;
const MAGIC = 'GD';
const VERSION = 1;

const STATUS = 0x11;
const MANAGE = 0x12;
const RESPONSE = 0x02;
const ERROR = 0x03;

const OPERATIONS = { add: 1, remove: 2 } as const;

/** A dirty arbiter may be of the workers' user, and is not believed to send anything sensible. */
const LONGEST_ANSWER_BYTES = 1024 * 1024;
const DEEPEST = 8;

export type DirtyRequest = { ask: 'status' } | { ask: 'add' | 'remove'; count: number };

export function encodeRequest(request: DirtyRequest): Buffer {
  if (request.ask === 'status') return withHeader(STATUS, Buffer.alloc(0));
  const fields = [text('op'), integer(OPERATIONS[request.ask]), text('count'), integer(request.count)];
  return withHeader(MANAGE, Buffer.concat([Buffer.from([0x21, 0, 0, 0, 2]), ...fields]));
}

/** The answer, once it is complete; null until then. @throws Error for what is no answer, or an error of the arbiter's */
export function decodeAnswer(data: Buffer): { result: unknown } | null {
  if (data.length < HEADER_BYTES) return null;
  const length = data.readUInt32BE(4);
  if (data.toString('latin1', 0, 2) !== MAGIC || data[2] !== VERSION || length > LONGEST_ANSWER_BYTES) {
    throw new Error('the dirty arbiter sent something else than an answer');
  }
  if (data.length < HEADER_BYTES + length) return null;
  const value = new ValueReader(data.subarray(HEADER_BYTES, HEADER_BYTES + length)).read(0);
  if (data[3] === ERROR) throw new Error(`the dirty arbiter answered: ${messageOf(value)}`);
  if (data[3] !== RESPONSE || !isRecord(value)) throw new Error('the dirty arbiter sent something else than an answer');
  return { result: value['result'] ?? value };
}

function messageOf(value: unknown): string {
  const error = isRecord(value) && isRecord(value['error']) ? value['error'] : value;
  return isRecord(error) && typeof error['message'] === 'string' ? error['message'].slice(0, 200) : 'an error';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withHeader(type: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 'latin1');
  header[2] = VERSION;
  header[3] = type;
  header.writeUInt32BE(payload.length, 4);
  header.writeBigUInt64BE(1n, 8);
  return Buffer.concat([header, payload]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const start = Buffer.alloc(5);
  start[0] = 0x11;
  start.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([start, bytes]);
}

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = 0x05;
  bytes.writeBigInt64BE(BigInt(value), 1);
  return bytes;
}

/** Every read beyond the end throws. */
class ValueReader {
  readonly #data: Buffer;
  #at = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  read(depth: number): unknown {
    if (depth > DEEPEST) throw new Error('the dirty arbiter sent too deep a value');
    const type = this.#take(1).readUInt8();
    switch (type) {
      case 0x00:
        return null;
      case 0x01:
        return this.#take(1)[0] === 1;
      case 0x05:
        return Number(this.#take(8).readBigInt64BE());
      case 0x06:
        return this.#take(8).readDoubleBE();
      case 0x10:
      case 0x11:
        return this.#text();
      case 0x20:
        return this.#list(depth);
      case 0x21:
        return this.#record(depth);
    }
    throw new Error('the dirty arbiter sent a value of an unknown type');
  }

  #list(depth: number): unknown[] {
    const items: unknown[] = [];
    for (let left = this.#count(); left > 0; left -= 1) items.push(this.read(depth + 1));
    return items;
  }

  #record(depth: number): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    for (let left = this.#count(); left > 0; left -= 1) {
      entries.push([String(this.read(depth + 1)), this.read(depth + 1)]);
    }
    return Object.fromEntries(entries);
  }

  #text(): string {
    return this.#take(this.#count()).toString('utf8');
  }

  #count(): number {
    return this.#take(4).readUInt32BE();
  }

  #take(bytes: number): Buffer {
    const end = this.#at + bytes;
    if (end > this.#data.length) throw new Error('the dirty arbiter sent half a value');
    const taken = this.#data.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
