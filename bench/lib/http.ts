/**
 * One HTTP request per connection, as a sync worker serves them.
 *
 * Libraries don't fit. autocannon writes the next request on the connection that the server is about to close, and
 * sends it a second time on a new one: it counts each request twice, and times later requests from earlier ones. Node's
 * own client takes several times as much of the two cores that server and load share.
 */
import { connect } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * GETs a path from 127.0.0.1. The answer is complete with the last byte by Content-Length (as for any client), or, for
 * lack of a length, when the server closes the connection.
 *
 * Rejects with the system's error, with `timed out`, or with `cut short` for an answer that ends too early.
 */
export function get(port: number, path: string, timeoutMs = 30_000): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    let size = 0;
    let expected = Infinity;
    let headEnd = -1;
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const finish = (): void => {
      const all = Buffer.concat(received, size);
      const status = Number(all.toString('latin1', 9, 12));
      if (headEnd < 0 || (expected !== Infinity && size < expected)) {
        reject(new Error(`cut short: ${size} bytes of ${path}`));
        return;
      }
      resolve({ status, body: all.toString('utf8', headEnd) });
    };
    socket.setTimeout(timeoutMs, () => {
      socket.destroy(new Error(`timed out: no answer for ${path} within ${timeoutMs} ms`));
    });
    socket.on('connect', () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
    });
    socket.on('data', (chunk) => {
      received.push(chunk);
      size += chunk.length;
      if (headEnd < 0) {
        const all = received.length === 1 ? chunk : Buffer.concat(received, size);
        const end = all.indexOf('\r\n\r\n');
        if (end < 0) return;
        headEnd = end + 4;
        const length = /\r\ncontent-length: *(\d+)/i.exec(all.toString('latin1', 0, end));
        if (length !== null) expected = headEnd + Number(length[1]);
      }
      // The server closes first, so no client port has to wait for late packets (TIME_WAIT).
      if (size >= expected) finish();
    });
    socket.on('end', finish);
    socket.on('error', reject);
  });
}
