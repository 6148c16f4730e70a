/**
 * Makes foreign text fit to be shown: names of processes, mappings and modules, request paths, messages of molds,
 * replies on a socket. None of it may control a terminal, begin a line of a log, or reverse the reading order.
 */

/**
 * Control characters (Cc: escape sequences, newlines), format characters (Cf: bidirectional controls, zero-width
 * characters), line and paragraph separators, and lone surrogates. Unicode Standard, section 4.5.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': String.raw`\n`, '\r': String.raw`\r`, '\t': String.raw`\t` };

/** One line: unprintable characters appear as `\n`, `\x1b` or `\u{202e}`. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, escaped);
}

/** Several lines: all but the first are indented, so that none passes for a line of the log or the report. */
export function printableLines(text: string, indent = '  '): string {
  return text
    .split('\n')
    .map((line, index) => (index === 0 || line.startsWith(indent) ? '' : indent) + printable(line))
    .join('\n');
}

/** Makes every text in plain data printable, for a formatter that adds its own colours and lines. */
export function printableIn<Data>(data: Data): Data {
  return mapped(data) as Data;
}

/**
 * JSON of the same value with all unprintable characters escaped; JSON.stringify leaves C1 and bidirectional controls.
 */
export function printableJson(data: unknown, indent = 0): string {
  return escapeInJson(JSON.stringify(data, null, indent));
}

/** Escapes JSON made by `JSON.stringify`, whose only control characters are the newlines of its layout. */
export function escapeInJson(json: string): string {
  return json.replaceAll(UNPRINTABLE, (character) =>
    character === '\n'
      ? character
      : Array.from({ length: character.length }, (_, index) => unit(character.charCodeAt(index))).join(''),
  );
}

function mapped(data: unknown): unknown {
  if (typeof data === 'string') return printable(data);
  if (Array.isArray(data)) return data.map(mapped);
  // Maps, dates and buffers are not data of a report.
  if (typeof data !== 'object' || data === null || Object.getPrototypeOf(data) !== Object.prototype) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [printable(key), mapped(value)]));
}

function escaped(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  return code < 0x100 ? String.raw`\x` + hex.padStart(2, '0') : String.raw`\u` + `{${hex}}`;
}

function unit(code: number): string {
  return String.raw`\u` + code.toString(16).padStart(4, '0');
}
