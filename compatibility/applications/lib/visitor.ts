/** A visitor with cookies, who records each request and its answer. Each request has its own connection. */
import { request } from 'node:http';
import { monotonicClock } from '../../../src/base/clock.ts';
import { Cookies } from './cookies.ts';
import { type Exchange, header } from './exchange.ts';
import { type Form, formsOf } from './pages.ts';

export type Headers = Readonly<Record<string, string>>;

export interface Body {
  readonly type: string;
  readonly content: Buffer;
}

const ANSWERED_WITHIN_MS = 120_000;

export const json = (value: unknown): Body => ({
  type: 'application/json',
  content: Buffer.from(JSON.stringify(value)),
});

export const urlEncoded = (values: Readonly<Record<string, string>>): Body => ({
  type: 'application/x-www-form-urlencoded',
  content: Buffer.from(new URLSearchParams(values).toString()),
});

/** A form with files, as a browser sends it. */
export async function multipart(
  values: Readonly<Record<string, string>>,
  files: Readonly<Record<string, FileToSend>>,
): Promise<Body> {
  const data = new FormData();
  for (const [name, value] of Object.entries(values)) data.append(name, value);
  for (const [name, file] of Object.entries(files)) {
    data.append(name, new Blob([new Uint8Array(file.content)], { type: file.type }), file.name);
  }
  const encoded = new Response(data);
  return { type: encoded.headers.get('content-type') ?? '', content: Buffer.from(await encoded.arrayBuffer()) };
}

export interface FileToSend {
  readonly name: string;
  readonly type: string;
  readonly content: Buffer;
}

export interface SubmitOptions {
  readonly which?: (form: Form) => boolean;
  /** Files by the name of their field. */
  readonly files?: Readonly<Record<string, FileToSend>>;
}

export class Visitor {
  readonly host: string;
  readonly cookies = new Cookies();
  readonly exchanges: Exchange[] = [];
  /** Headers sent with each request, such as a token. */
  readonly headers: Record<string, string>;
  readonly #port: number;

  constructor(port: number, headers: Headers = {}) {
    this.#port = port;
    this.host = `127.0.0.1:${port}`;
    this.headers = { ...headers };
  }

  async get(path: string, headers: Headers = {}): Promise<Exchange> {
    return await this.send('GET', path, null, headers);
  }

  async post(path: string, body: Body | null, headers: Headers = {}): Promise<Exchange> {
    return await this.send('POST', path, body, headers);
  }

  /**
   * Requests a page, fills in one of its forms and sends it. Without `which` it is the first form that has every field
   * named in `values`. Throws if the page has no such form.
   */
  async submit(
    pagePath: string,
    values: Readonly<Record<string, string>>,
    { which, files }: SubmitOptions = {},
  ): Promise<Exchange> {
    const page = await this.get(pagePath);
    const forms = formsOf(page.body.toString(), pagePath, this.host);
    const suits = which ?? ((form: Form) => Object.keys(values).every((name) => name in form.values));
    const form = forms.find((each) => each.method === 'POST' && suits(each));
    if (form === undefined) {
      throw new Error(`${pagePath} (status ${page.status}) has no such form, among ${JSON.stringify(forms)}`);
    }
    const filled = { ...form.values, ...values };
    // Django's CSRF protection requires these headers of a browser.
    return await this.post(form.action, files === undefined ? urlEncoded(filled) : await multipart(filled, files), {
      referer: `http://${this.host}${pagePath}`,
      origin: `http://${this.host}`,
    });
  }

  /** Follows a redirect. Throws if the answer is none. */
  async follow(answer: Exchange): Promise<Exchange> {
    const location = header(answer, 'location');
    if (location === null) throw new Error(`${answer.path} (status ${answer.status}) leads nowhere`);
    const target = new URL(location, `http://${this.host}${answer.path}`);
    return await this.get(target.pathname + target.search);
  }

  /** Sends a request. Rejects with the system's error, or if the answer is not whole. */
  async send(method: string, path: string, body: Body | null, headers: Headers = {}): Promise<Exchange> {
    const cookie = this.cookies.header();
    const exchange = await exchangeWith(this.#port, {
      method,
      path,
      headers: {
        accept: '*/*',
        ...this.headers,
        ...(cookie === null ? {} : { cookie }),
        ...(body === null ? {} : { 'content-type': body.type }),
        ...headers,
      },
      content: body?.content ?? null,
      timeoutMs: ANSWERED_WITHIN_MS,
    });
    for (const [name, value] of exchange.headers) if (name === 'set-cookie') this.cookies.take(value, Date.now());
    this.exchanges.push(exchange);
    return exchange;
  }
}

export interface Sending {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly content: Buffer | null;
  readonly timeoutMs: number;
}

/** Sends one request on its own connection. Rejects with the system's error, `timed out`, or `cut short`. */
export function exchangeWith(port: number, sending: Sending): Promise<Exchange> {
  const { method, path, content, timeoutMs } = sending;
  const startedAtMs = monotonicClock.now();
  return new Promise((resolve, reject) => {
    const message = request({
      host: '127.0.0.1',
      port,
      method,
      path,
      agent: false,
      // Answers are compared as they are, even those that a strict client refuses.
      insecureHTTPParser: true,
      headers: {
        ...sending.headers,
        ...(content === null && method === 'GET' ? {} : { 'content-length': String(content?.length ?? 0) }),
      },
    });
    const tooLate = setTimeout(() => message.destroy(new Error(`timed out after ${timeoutMs} ms`)), timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(tooLate);
      reject(error);
    };
    message.once('error', fail);
    message.once('response', (answer) => {
      const received: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => received.push(chunk));
      answer.once('error', (error) => fail(new Error(`cut short: ${error.message}`, { cause: error })));
      answer.once('end', () => {
        clearTimeout(tooLate);
        const headers: [string, string][] = [];
        for (let index = 0; index + 1 < answer.rawHeaders.length; index += 2) {
          headers.push([(answer.rawHeaders[index] ?? '').toLowerCase(), answer.rawHeaders[index + 1] ?? '']);
        }
        resolve({
          method,
          path,
          status: answer.statusCode ?? 0,
          headers,
          body: Buffer.concat(received),
          milliseconds: monotonicClock.now() - startedAtMs,
        });
      });
    });
    message.end(content ?? undefined);
  });
}
