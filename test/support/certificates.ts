/** Certificates for a test, made by OpenSSL (Debian's `openssl`), and an HTTPS client that reports the one it saw. */
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

/** An authority and the certificates that it signs, all in a folder as `NAME.pem` and `NAME.key`. */
export class Authority {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    // From 3.13 on Python insists on the key usage of an authority (RFC 5280).
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

  /** Signs a certificate for 127.0.0.1 with this common name, and with the key of `keyOf` if given. */
  sign(name: string, keyOf: string | null = null): void {
    const signed = ['-CA', this.file('authority.pem'), '-CAkey', this.file('authority.key')];
    const key = keyOf === null ? [] : ['-key', this.file(`${keyOf}.key`)];
    const extensions = ['subjectAltName=IP:127.0.0.1', 'basicConstraints=critical,CA:FALSE'];
    this.#request(name, ...extensions.flatMap((each) => ['-addext', each]), ...signed, ...key);
  }

  /** Replaces one certificate file by another, atomically. */
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
  /** The name of the client's certificate. `clientsAuthority` has signed it, if not the same authority. */
  readonly client?: string;
  readonly clientsAuthority?: Authority;
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** A GET over TLS. `address` is the one in the log: `http://127.0.0.1:8443`, even with TLS. */
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
        // Read now: a closed socket no longer knows it.
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
