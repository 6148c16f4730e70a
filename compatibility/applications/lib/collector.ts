/** A collector of OpenTelemetry traces: accepts OTLP over HTTP on 127.0.0.1, and counts the spans. */
import { createServer, type Server } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { countSpans } from './otlp.ts';

export class Collector {
  readonly #server: Server;
  spansOfServer = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(port: number): Promise<Collector> {
    const server = createServer((request, response) => {
      const received: Buffer[] = [];
      request.on('data', (chunk: Buffer) => received.push(chunk));
      request.on('end', () => {
        if (request.url === '/v1/traces') {
          const content = Buffer.concat(received);
          const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(content) : content;
          collector.spansOfServer += countSpans(plain).ofServer;
        }
        response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
      });
    });
    const collector = new Collector(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    return collector;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
