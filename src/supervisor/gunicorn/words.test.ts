import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitWords } from './words.ts';

test.each([
  ['show workers', ['show', 'workers']],
  ['  worker \t kill  12 ', ['worker', 'kill', '12']],
  [`a 'b c' "d \\" e" f\\ g`, ['a', 'b c', 'd " e', 'f g']],
  [`"a\\n" '' ""`, ['a\\n', '', '']],
  ['', []],
])('%j', (line, words) => {
  expect(splitWords(line)).toEqual(words);
});

test.each([
  ['"a', 'No closing quotation'],
  ['a\\', 'No escaped character'],
])('%j is refused', (line, reason) => {
  expect(() => splitWords(line)).toThrow(reason);
});

const SHLEX = `
import json, shlex, sys
def split(line):
    try:
        return shlex.split(line)
    except ValueError as error:
        return str(error)
print(json.dumps([split(line) for line in json.load(sys.stdin)]))
`;

test("every line has the words of Python's shlex", () => {
  const lines = fc.sample(fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\t', '\n', '"', "'", '\\', 'é') }), 2000);
  const answers = execFileSync('python3', ['-c', SHLEX], { input: JSON.stringify(lines), encoding: 'utf8' });
  const ours = lines.map((line) => {
    try {
      return splitWords(line);
    } catch (error) {
      return error instanceof Error ? error.message : error;
    }
  });
  expect(ours).toEqual(JSON.parse(answers));
});
