/** A request and its whole answer. Plain data. */

export interface Exchange {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly status: number;
  /** In the order in which they came; names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  readonly milliseconds: number;
}

/** The first header of this name; null without one. */
export function header(exchange: Pick<Exchange, 'headers'>, name: string): string | null {
  return exchange.headers.find(([each]) => each === name)?.[1] ?? null;
}

/** Whether the body is text, by its type. */
export function isText(exchange: Pick<Exchange, 'headers'>): boolean {
  const type = header(exchange, 'content-type') ?? '';
  return /^text\/|[/+](json|xml|javascript|x-javascript|csv|yaml|x-www-form-urlencoded)\b/i.test(type);
}
