/** The words of a command line, as Python's `shlex.split` has them, by which gunicorn's server reads a command. Pure. */

const SPACE = /[ \t\r\n]/;

/** @throws Error with shlex's own text, such as "No closing quotation" */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote: '"' | "'" | null = null;
  for (let at = 0; at < line.length; at += 1) {
    const character = line.charAt(at);
    if (character === '\\' && quote !== "'") {
      const next = line.charAt(at + 1);
      if (next === '') throw new Error('No escaped character');
      at += 1;
      // Within double quotes a backslash stands for itself, except before these two (shlex.escapedquotes).
      word = (word ?? '') + (quote === '"' && next !== '"' && next !== '\\' ? `\\${next}` : next);
    } else if (quote !== null) {
      if (character === quote) quote = null;
      else word = (word ?? '') + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (SPACE.test(character)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? '') + character;
    }
  }
  if (quote !== null) throw new Error('No closing quotation');
  if (word !== null) words.push(word);
  return words;
}
