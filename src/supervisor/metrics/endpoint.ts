/**
 * The HTTP endpoint that Prometheus scrapes. It never ends the herd: what can't be listened on is logged.
 *
 * Everything about a visitor is bounded: how many there are, how long each may take to ask and to read, and how often
 * the values are gathered anew.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, monotonicClock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { closeSocketFile, listenAt, type SocketFile } from '../../base/socket-file.ts';
import { type Access, type Address, isLoopback, judge, parseAddress } from './access.ts';
import type { Metric } from './metric.ts';
import { CONTENT_TYPE, prometheusText } from './prometheus.ts';
import { readToken } from './token-file.ts';

const MOST_VISITORS = 16;
/** Requests on one connection. A visitor may send requests ahead, and their answers are kept until they are read. */
const MOST_REQUESTS = 32;
/** For the request, and for the reading of the answer. */
const LONGEST_VISIT_MS = 5000;
/** Scrapes that follow each other faster get the same values. */
const FRESH_MS = 250;

export interface EndpointSettings {
  readonly metrics: string | null;
  readonly metrics_token_file: string | null;
}

export class MetricsEndpoint {
  readonly #gather: () => Metric[];
  readonly #log: Log;
  readonly #clock: Clock;
  #server: Server | null = null;
  #file: SocketFile | null = null;
  #uses = '';
  #text: { readonly atMs: number; readonly promise: Promise<string> } | null = null;

  /** @param gather the values of all metrics, now */
  constructor(gather: () => Metric[], log: Log, clock: Clock = monotonicClock) {
    this.#gather = gather;
    this.#log = log;
    this.#clock = clock;
  }

  /** Listens as the settings say; nothing changes if they have not. The token is read again. */
  async use({ metrics, metrics_token_file }: EndpointSettings): Promise<void> {
    let token: string | null = null;
    try {
      token = metrics === null || metrics_token_file === null ? null : readToken(metrics_token_file);
    } catch (error) {
      this.close();
      this.#log.error(`Metrics are not served: the token file: ${(error as Error).message}`);
      return;
    }
    const uses = JSON.stringify([metrics, token]);
    if (uses === this.#uses) return;
    this.close();
    this.#uses = uses;
    if (metrics === null) return;
    const address = parseAddress(metrics);
    if ('host' in address && !isLoopback(address.host) && token === null) {
      this.#log.error(`Metrics are not served: ${metrics} is reached from elsewhere, which needs metrics_token_file`);
      return;
    }
    try {
      await this.#listen(address, { token, host: 'host' in address ? address.host : null });
    } catch (error) {
      this.close();
      this.#log.error(`Metrics are not served: ${metrics}: ${(error as Error).message}`);
    }
  }

  close(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
    if (this.#file !== null) closeSocketFile(this.#file);
    this.#server = null;
    this.#file = null;
    this.#uses = '';
  }

  async #listen(address: Address, access: Access): Promise<void> {
    const server = createServer(
      { headersTimeout: LONGEST_VISIT_MS, requestTimeout: LONGEST_VISIT_MS, connectionsCheckingInterval: 1000 },
      (request, response) => void this.#answer(request, response, access),
    );
    server.maxConnections = MOST_VISITORS;
    server.maxRequestsPerSocket = MOST_REQUESTS;
    // A reader that takes no byte of the answer for this long is dropped.
    server.setTimeout(LONGEST_VISIT_MS, (socket) => socket.destroy());
    if ('path' in address) {
      this.#file = await listenAt(server, address.path, 0o600);
    } else {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(address, resolve);
      });
    }
    server.on('error', (error) => this.#log.error(`Metrics: ${error.message}`));
    // The endpoint must not keep the supervisor alive.
    server.unref();
    this.#server = server;
    this.#log.info(`Metrics at ${urlOf(address, server)}`);
  }

  async #answer(request: IncomingMessage, response: ServerResponse, access: Access): Promise<void> {
    const { host, authorization } = request.headers;
    const verdict = judge({ method: request.method, path: request.url, host, authorization }, access);
    // A body is not read: the connection ends with the answer. Otherwise the visitor says whether it stays open.
    if (request.method !== 'GET' && request.method !== 'HEAD') response.setHeader('connection', 'close');
    if (verdict.status !== 200) {
      response.writeHead(verdict.status, { 'content-type': 'text/plain' }).end(`${verdict.reason}\n`);
      return;
    }
    try {
      const text = await this.#freshText();
      const headers = { 'content-type': CONTENT_TYPE, 'content-length': Buffer.byteLength(text) };
      response.writeHead(200, headers).end(request.method === 'HEAD' ? '' : text);
    } catch (error) {
      this.#log.error(`Metrics can't be gathered: ${String(error)}`);
      response.writeHead(500, { 'content-type': 'text/plain' }).end('the metrics could not be gathered\n');
    }
  }

  async #freshText(): Promise<string> {
    const now = this.#clock.now();
    if (this.#text === null || now - this.#text.atMs > FRESH_MS) {
      this.#text = { atMs: now, promise: Promise.resolve().then(async () => await prometheusText(this.#gather())) };
    }
    return await this.#text.promise;
  }
}

function urlOf(address: Address, server: Server): string {
  if ('path' in address) return `unix:${address.path}`;
  const { port } = server.address() as AddressInfo;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `http://${host}:${port}/metrics`;
}
