/** Which links a crawl follows: a few of each shape, so that sixty requests cover a whole site. Pure. */
import { mask } from './masking.ts';

/** The path without the parts that differ between pages of a kind: numbers, tokens, and the values of the query. */
export function shapeOf(pathAndQuery: string): string {
  const [path = '', query = ''] = pathAndQuery.split('?');
  // Static files of all names are served by the same code.
  const file = /\.(css|js|mjs|png|svg|ico|gif|jpe?g|webp|woff2?|map)$/.exec(path);
  if (file !== null) return `*.${file[1]}`;
  const names = [...new URLSearchParams(query).keys()].toSorted().join('&');
  return `${mask(path).text.replaceAll(/\d+/g, 'N')}?${names}`;
}

/** The addresses that a crawl has still to visit, and counts of the shapes so far. */
export class Frontier {
  readonly #perShape: number;
  readonly #seen = new Set<string>();
  readonly #byShape = new Map<string, number>();
  readonly #waiting: string[] = [];

  constructor(perShape: number) {
    this.#perShape = perShape;
  }

  add(path: string): void {
    if (this.#seen.has(path)) return;
    this.#seen.add(path);
    const shape = shapeOf(path);
    const before = this.#byShape.get(shape) ?? 0;
    if (before >= this.#perShape) return;
    this.#byShape.set(shape, before + 1);
    this.#waiting.push(path);
  }

  next(): string | undefined {
    return this.#waiting.shift();
  }
}
