/** The cookies of one visitor at one host. Every cookie is for all paths, which is enough for the applications here. */

export class Cookies {
  readonly #values = new Map<string, string>();

  /** Stores the cookie of a `Set-Cookie` header, or drops it if it has expired. */
  take(setCookie: string, now: number): void {
    const [pair = '', ...attributes] = setCookie.split(';').map((part) => part.trim());
    const equals = pair.indexOf('=');
    if (equals <= 0) return;
    const name = pair.slice(0, equals);
    if (hasExpired(attributes, now)) this.#values.delete(name);
    else this.#values.set(name, pair.slice(equals + 1));
  }

  get(name: string): string | null {
    return this.#values.get(name) ?? null;
  }

  /** The value of the header `Cookie`; null without cookies. */
  header(): string | null {
    if (this.#values.size === 0) return null;
    return [...this.#values].map(([name, value]) => `${name}=${value}`).join('; ');
  }
}

/** RFC 6265, 5.3: `Max-Age` has precedence over `Expires`. */
function hasExpired(attributes: readonly string[], now: number): boolean {
  const values = new Map(
    attributes.map((attribute) => {
      const [name = '', ...value] = attribute.split('=');
      return [name.toLowerCase(), value.join('=')];
    }),
  );
  const maxAge = values.get('max-age');
  if (maxAge !== undefined) return Number(maxAge) <= 0;
  const expires = values.get('expires');
  return expires !== undefined && Date.parse(expires) <= now;
}
