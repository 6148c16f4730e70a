/**
 * Masks legitimate differences between two answers to the same request: tokens, times, and numbers that a server makes
 * up. Rules are general, none is for one application. A match is replaced by the rule's name. Pure.
 */

interface Rule {
  readonly name: string;
  readonly pattern: RegExp;
}

/** The order matters: digits in a UUID must not be taken for a time, nor a token for a number. */
const RULES: readonly Rule[] = [
  { name: 'uuid', pattern: /\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b/gi },
  // JSON Web Tokens and signed values of itsdangerous and Django: parts in base 64, separated by dots or colons.
  { name: 'token', pattern: /\beyJ[\w-]{8,}(?:[.:][\w-]+)*|\.eJ[\w-]{8,}(?:[.:][\w-]+)+/g },
  // Such values signed with SHA-1, with the time as six characters in the middle.
  { name: 'token', pattern: /(?<![\w-])[\w-]{2,}\.[\w-]{6}\.[\w-]{27}(?![\w-])/g },
  {
    name: 'time',
    pattern:
      /\b\d{4}-\d\d-\d\d(?:[T +]|%20|&nbsp;)\d\d(?::|%3A)\d\d(?:(?::|%3A)\d\d(?:[.,]\d+)?)?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)\b)?/g,
  },
  {
    name: 'time',
    pattern: /\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d[ -][A-Z][a-z]{2}[ -]\d{4} \d\d:\d\d:\d\d(?: (?:GMT|[+-]\d{4}))?/g,
  },
  { name: 'time', pattern: /\b\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:[\s\u00A0\u202F]*[ap]\.?m\b\.?)?/gi },
  // Times in file names.
  { name: 'time', pattern: /\b\d{4}-?\d\d-?\d\d[-_T]\d\d[-_]?\d\d[-_]?\d\dZ?\b/g },
  // Times in file names, without seconds.
  { name: 'time', pattern: /\b\d{4}-\d\d-\d\d-\d\d-\d\d\b/g },
  // Seconds, or thousandths, millionths or billionths, since 1970, from 2017 to 2033.
  { name: 'epoch', pattern: /(?<![\d.])\b1[5-9]\d{8}(?:\.\d+|\d{3}|\d{6}|\d{9})?\b/g },
  {
    name: 'duration',
    pattern:
      /\b\d+(?:\.\d+)?(?:e-?\d+)?[\s\u00A0]*(?:ms|msec|µs|s|sec|milliseconds?|seconds?|minutes?|hours?)\b(?:[\s\u00A0]+ago\b)?/gi,
  },
  { name: 'duration', pattern: /\bjust now\b|\ban?[\s\u00A0]+(?:second|minute|hour)\b(?:[\s\u00A0]+ago\b)?/gi },
  // A measured time after its name, as in `"query_ms": 1.25`.
  { name: 'duration', pattern: /(?<=(?:_ms|_seconds|duration|elapsed)"?\s?[:=]\s?)\d+(?:\.\d+)?(?:e-?\d+)?\b/gi },
  // Random text: at least 32 hexadecimal digits, or (further below) at least 20 characters of base 64 with at least
  // three small and three capital letters. These are CSRF tokens, nonces, session keys, entity tags, request and trace
  // ids.
  { name: 'token', pattern: /\b[0-9a-f]{32,}\b/gi },
  // Base 64 with padding: nonces of a content security policy.
  { name: 'token', pattern: /(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{4}){5,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)/g },
  // Django's session keys: small letters and digits.
  { name: 'token', pattern: /\b(?=(?:[a-z]*?\d){2})(?=(?:\d*?[a-z]){2})[a-z0-9]{24,}\b/g },
  { name: 'token', pattern: /(?<![\w-])(?=(?:[\w-]*?[a-z]){3})(?=(?:[\w-]*?[A-Z]){3})[\w-]{20,}(?:={1,2})?/g },
  // A value that its name marks as a token, such as `"secret": "x3k9…"`.
  {
    name: 'token',
    pattern:
      /(?<=(?:secret|token|nonce|session|sessionid)"?\s?[:=]\s?"?)(?:(?=[\w+/=.-]*\d)[\w+/=.-]{8,}|[a-z]{16}\b)/gi,
  },
];

export interface Masked {
  readonly text: string;
  /** The names of the rules that have found something. */
  readonly rules: ReadonlySet<string>;
}

export function mask(text: string): Masked {
  const rules = new Set<string>();
  let masked = text;
  for (const { name, pattern } of RULES) {
    masked = masked.replaceAll(pattern, () => {
      rules.add(name);
      return `<${name}>`;
    });
  }
  return { text: masked, rules };
}
