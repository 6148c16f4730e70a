/**
 * Compares an answer of Cowherd with two of gunicorn, to the same request in the same state of the same application.
 *
 * Answers are first compared byte for byte. If they differ, tokens and times are masked by general rules
 * (`masking.ts`). Lines in which the two answers of gunicorn still differ are `unsteady`: they say nothing about a
 * server. All other lines are compared. Pure.
 */
import type { Application } from './description.ts';
import { type Exchange, isText } from './exchange.ts';
import { mask } from './masking.ts';

type AnyOrder = NonNullable<Application['inAnyOrder']>[number];

export type Verdict =
  /** Status, headers and body, byte for byte. */
  | { readonly kind: 'identical' }
  /** The same once tokens and times are masked. */
  | { readonly kind: 'masked' }
  /** gunicorn's two answers differ too. Cowherd's agrees with everything in which they agree. */
  | { readonly kind: 'unsteady'; readonly where: readonly string[] }
  | { readonly kind: 'different'; readonly where: readonly string[] };

/** Headers that are not compared: the time, and those about the connection. */
const NOT_COMPARED = new Set(['date', 'connection', 'keep-alive']);

/** Instead of how many seconds an answer from a cache is old (RFC 9111, 5.1). */
const AGE = '<seconds>';

/** @param anyOrder why lines may come in any order; if given, they are sorted before they are compared */
export function compare(gunicorn: Exchange, gunicornAgain: Exchange, cowherd: Exchange, anyOrder?: AnyOrder): Verdict {
  if (sameBytes(gunicorn, cowherd)) return { kind: 'identical' };
  const partsOfOne = (exchange: Exchange): ReadonlyMap<string, string> => partsOf(exchange, anyOrder);
  const [first, second, other] = [partsOfOne(gunicorn), partsOfOne(gunicornAgain), partsOfOne(cowherd)];
  const unsteady = new Set(differences(first, second));
  const different = differences(first, other).filter((part) => !unsteady.has(part));
  const places = (parts: Iterable<string>): string[] => [...parts].slice(0, SHOWN);
  if (different.length > 0) {
    return { kind: 'different', where: places(different.map((part) => describe(part, first, other))) };
  }
  if (unsteady.size > 0) return { kind: 'unsteady', where: places(unsteady) };
  if (anyOrder !== undefined) return { kind: 'unsteady', where: [`compared in any order: ${anyOrder.because}`] };
  return { kind: 'masked' };
}

const SHOWN = 10;

function sameBytes(one: Exchange, other: Exchange): boolean {
  return (
    one.status === other.status &&
    one.body.equals(other.body) &&
    JSON.stringify(comparedHeaders(one)) === JSON.stringify(comparedHeaders(other))
  );
}

function comparedHeaders({ headers }: Exchange): (readonly [string, string])[] {
  return headers.filter(([name]) => !NOT_COMPARED.has(name));
}

/** Divides an answer into parts that can be compared one by one: `status`, `header NAME`, `line N`. */
function partsOf(exchange: Exchange, anyOrder: AnyOrder | undefined): ReadonlyMap<string, string> {
  const parts = new Map<string, string>([['status', String(exchange.status)]]);
  const seen = new Map<string, number>();
  for (const [name, value] of comparedHeaders(exchange)) {
    // Texts with tokens differ in length, so the length is compared only for bodies that are not text.
    if (name === 'content-length' && isText(exchange)) continue;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    parts.set(count === 1 ? `header ${name}` : `header ${name} (${count})`, name === 'age' ? AGE : mask(value).text);
  }
  if (!isText(exchange)) {
    parts.set('body', exchange.body.toString('latin1'));
    return parts;
  }
  let { text } = mask(exchange.body.toString('utf8'));
  if (anyOrder?.varying !== undefined) text = text.replaceAll(anyOrder.varying, '<drawn>');
  const lines = linesOf(text);
  if (anyOrder !== undefined) lines.sort();
  parts.set('number of lines', String(lines.length));
  for (const [index, line] of lines.entries()) parts.set(`line ${index + 1}`, line);
  return parts;
}

/** Splits a text into lines, also after brackets and commas: pages and JSON may have few line breaks. */
function linesOf(text: string): string[] {
  return text.split(/\n|(?<=[>,{}[\]])/);
}

/** The names of the parts that differ, or that only one of them has. */
function differences(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): string[] {
  return [...new Set([...one.keys(), ...other.keys()])].filter((part) => one.get(part) !== other.get(part));
}

function describe(part: string, one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): string {
  const [left = '', right = ''] = [one.get(part), other.get(part)];
  let from = 0;
  while (from < left.length && left[from] === right[from]) from += 1;
  const around = (text: string): string => JSON.stringify(text.slice(Math.max(0, from - 40), from + 80));
  return `${part}: ${around(left)} of gunicorn, ${around(right)} of Cowherd`;
}

export interface ComparedAnswer {
  /** gunicorn's request, such as `GET /path`. */
  readonly request: string;
  readonly verdict: Verdict;
}

/** Compares all answers of three visits with the same requests. An answer that only some have is different. */
export function compareAll(
  gunicorn: readonly Exchange[],
  gunicornAgain: readonly Exchange[],
  cowherd: readonly Exchange[],
  inAnyOrder: readonly AnyOrder[] = [],
): ComparedAnswer[] {
  const count = Math.max(gunicorn.length, gunicornAgain.length, cowherd.length);
  return Array.from({ length: count }, (_, index): ComparedAnswer => {
    const [first, second, other] = [gunicorn[index], gunicornAgain[index], cowherd[index]];
    const named = first ?? second ?? other;
    const request = `${named?.method} ${named?.path}`;
    if (first === undefined || second === undefined || other === undefined || first.method !== other.method) {
      return { request, verdict: { kind: 'different', where: ['not asked of each server'] } };
    }
    const rule = inAnyOrder.find(({ pattern }) => pattern.test(first.path));
    return { request, verdict: compare(first, second, other, rule) };
  });
}
