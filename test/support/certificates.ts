/** Certificates of a test's own, made by OpenSSL (Debian's `openssl`), and an HTTPS client that says which one it saw. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, renameSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import path from 'node:path';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { Answer } from './http.ts';
import { where } from './needs.ts';

/** For `needs`. */
export const OPENSSL_NEEDED = where(
  spawnSync('openssl', ['version']).status === 0,
  'needs openssl, which makes the certificates',
);

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** An authority, and what it signs: each in a folder, as `NAME.pem` and `NAME.key`. */
export class Authority {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    // From 3.13 on Python is strict about what an authority must say of itself (RFC 5280).
    this.#request('authority', '-addext', 'keyUsage=critical,keyCertSign');
  }

  get certificate(): Buffer {
    return this.read('authority.pem');
  }

  file(name: string): string {
    return path.join(this.#folder, name);
  }

  read(name: string): Buffer {
    return readFileSync(this.file(name));
  }

  /** A certificate for 127.0.0.1 with this common name; with the key of `keyOf`, if that is given. */
  sign(name: string, keyOf: string | null = null): void {
    const signed = ['-CA', this.file('authority.pem'), '-CAkey', this.file('authority.key')];
    const key = keyOf === null ? [] : ['-key', this.file(`${keyOf}.key`)];
    const extensions = ['subjectAltName=IP:127.0.0.1', 'basicConstraints=critical,CA:FALSE'];
    this.#request(name, ...extensions.flatMap((each) => ['-addext', each]), ...signed, ...key);
  }

  /** One file takes another's place, at once. */
  replace(name: string, by: string): void {
    renameSync(this.file(`${by}.pem`), this.file(`${name}.pem`));
  }

  #request(name: string, ...more: string[]): void {
    const newKey = more.includes('-key') ? [] : [...NEW_KEY, '-keyout', this.file(`${name}.key`)];
    const common = ['-days', '2', '-out', this.file(`${name}.pem`), '-subj', `/CN=${name}`];
    execFileSync('openssl', ['req', '-x509', ...common, ...newKey, ...more], { stdio: 'pipe' });
  }
}

export interface SecureAnswer extends Answer {
  /** The common name of the server's certificate. */
  readonly server: string;
  readonly protocol: string | null;
}

export interface SecureOptions {
  readonly authority: Authority;
  /** The name of the client's own certificate, and who has signed it if not the same authority. */
  readonly client?: string;
  readonly clientsAuthority?: Authority;
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** A GET. `address` is as the log has it: `http://127.0.0.1:8443`, whatever is spoken there. */
export function fetchSecurely(address: string, pathname: string, options: SecureOptions): Promise<SecureAnswer> {
  const { authority, client, clientsAuthority: signer = authority, maxVersion } = options;
  const { hostname, port } = new URL(address);
  const own = client === undefined ? {} : { cert: signer.read(`${client}.pem`), key: signer.read(`${client}.key`) };
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: hostname,
        port,
        path: pathname,
        ca: authority.certificate,
        agent: false,
        timeout: 100_000,
        ...own,
        ...(maxVersion === undefined ? {} : { maxVersion }),
      },
      (response) => {
        const socket = response.socket as TLSSocket;
        // Asked for at once: a socket that is closed no longer knows.
        const { subject }: PeerCertificate = socket.getPeerCertificate();
        const protocol = socket.getProtocol();
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          const { statusCode: status = 0, headers } = response;
          resolve({ status, headers, body, text: body.toString(), server: String(subject.CN), protocol });
        });
      },
    );
    request.on('timeout', () => request.destroy(new Error(`no answer from ${address}${pathname}`)));
    request.on('error', reject);
    request.end();
  });
}
