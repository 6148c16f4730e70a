/** Who may scrape: decided from the request alone. Pure. */
import { timingSafeEqual, createHash } from 'node:crypto';
import { isIP } from 'node:net';

export interface Access {
  /** The token that a request must bring; null: none. */
  readonly token: string | null;
  /** The host of the address that is listened on; null for a Unix socket. */
  readonly host: string | null;
}

export interface Asked {
  readonly method: string | undefined;
  readonly path: string | undefined;
  /** The headers `host` and `authorization`. */
  readonly host: string | undefined;
  readonly authorization: string | undefined;
}

export type Verdict = { readonly status: 200 } | { readonly status: 400 | 401 | 404 | 405; readonly reason: string };

/**
 * The verdict on a request. A name in `Host` that is not this address's is refused: a page in somebody's browser can
 * have a name of its own resolve to a loopback address, and read what answers there (DNS rebinding).
 */
export function judge({ method, path, host, authorization }: Asked, access: Access): Verdict {
  if (access.host !== null && !isOwnHost(host, access.host)) return { status: 400, reason: 'unknown Host' };
  if (access.token !== null && !isToken(authorization, access.token)) return { status: 401, reason: 'no valid token' };
  if (path?.split('?')[0] !== '/metrics') return { status: 404, reason: 'only /metrics is here' };
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, reason: 'only GET and HEAD are answered' };
  return { status: 200 };
}

function isOwnHost(header: string | undefined, own: string): boolean {
  const name = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(header ?? '');
  const host = (name?.[1] ?? name?.[2] ?? '').toLowerCase();
  return isIP(host) !== 0 || host === 'localhost' || host === own.toLowerCase();
}

/** Compares digests, whose comparison takes the same time for every text (crypto.timingSafeEqual). */
function isToken(header: string | undefined, token: string): boolean {
  const brought = /^Bearer (.+)$/.exec(header ?? '')?.[1] ?? '';
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(brought), digest(token));
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;

/** Whether only this machine reaches an address of this host. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host.toLowerCase());
}

export type Address = { readonly path: string } | { readonly host: string; readonly port: number };

/** @param text as the setting `metrics` has it, which the agent has checked */
export function parseAddress(text: string): Address {
  if (text.startsWith('unix:')) return { path: text.slice('unix:'.length) };
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replaceAll(/[[\]]/g, ''), port: Number(text.slice(colon + 1)) };
}
