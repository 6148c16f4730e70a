/** A small HTTP client for TCP and Unix sockets. */
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';

/** `http://127.0.0.1:8000` or `unix:/path`. */
export type Address = string;

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  text: string;
}

export interface RequestOptions {
  method?: string;
  body?: Buffer | string;
  chunked?: boolean;
  headers?: Record<string, string>;
  /** Keeps connections; by default every request makes a new one. */
  agent?: Agent;
  timeoutMs?: number;
  /** Accepts answers that violate HTTP a little. */
  lenient?: boolean;
}

function where(address: Address): { path: string } | { host: string; port: number } {
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length) };
  const url = new URL(address);
  return { host: url.hostname.replaceAll(/[[\]]/g, ''), port: Number(url.port) };
}

export function fetchFrom(address: Address, path: string, options: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const place = where(address);
    const request = httpRequest(
      {
        ...('path' in place ? { socketPath: place.path } : place),
        path,
        method: options.method ?? 'GET',
        headers: {
          host: 'localhost',
          // Without a length Node sends the body in chunks.
          ...(options.body === undefined || options.chunked === true
            ? {}
            : { 'content-length': String(Buffer.byteLength(options.body)) }),
          ...options.headers,
        },
        agent: options.agent ?? false,
        insecureHTTPParser: options.lenient ?? false,
        timeout: options.timeoutMs ?? 100_000,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body, text: body.toString() });
        });
      },
    );
    request.on('timeout', () => request.destroy(new Error(`no answer from ${address}${path}`)));
    request.on('error', reject);
    request.end(options.body);
  });
}

/** Sends the same request many times over connections that stay open, as fast as they answer. */
export async function hammer(address: Address, path: string, requests: number, connections: number): Promise<Answer[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const answers: Answer[] = [];
  let left = requests;
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      answers.push(await fetchFrom(address, path, { agent }));
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  agent.destroy();
  return answers;
}

/** Whether a process listens there. */
export function isListening(address: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(where(address));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/**
 * Sends a GET many times over connections that stay open. Much faster than `hammer`, since it reads only the necessary
 * part of the answers. The application must send a Content-Length. Returns the number of answers that were not 200.
 */
export async function drum(address: Address, path: string, requests: number, connections: number): Promise<number> {
  const message = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  let left = requests;
  let bad = 0;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect(where(address));
      let pending = '';
      const next = (): void => {
        if (left === 0) {
          socket.destroy();
          resolve();
          return;
        }
        left -= 1;
        socket.write(message);
      };
      socket.setEncoding('latin1');
      socket.setNoDelay(true);
      socket.once('connect', next);
      socket.once('error', reject);
      socket.once('end', () => reject(new Error('the server has closed a connection')));
      socket.on('data', (chunk: string) => {
        pending += chunk;
        const end = pending.indexOf('\r\n\r\n');
        if (end < 0) return;
        const length = Number(/content-length: (\d+)/i.exec(pending)?.[1]);
        if (pending.length < end + 4 + length) return;
        if (!pending.startsWith('HTTP/1.1 200')) bad += 1;
        pending = '';
        next();
      });
    });
  await Promise.all(Array.from({ length: connections }, one));
  return bad;
}
