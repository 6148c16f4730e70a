/** What the agent prints for `cowherd settings`, and what something else may print there. */
import { expect, test } from 'vitest';
import { CowherdError } from '../base/errors.ts';
import { readAnswer } from './settings.ts';

const setting = {
  name: 'workers',
  section: 'Worker Processes',
  options: ['-w', '--workers'],
  meta: 'INT',
  default: 1,
  description: 'The number of worker processes.',
};

function refused(output: string): string {
  try {
    readAnswer(output, '/x/python');
  } catch (error) {
    if (error instanceof CowherdError && error.code === 'INTERNAL') return error.detail ?? '';
    throw error;
  }
  return 'read';
}

test('the list is read as it was printed; defaults may be anything', () => {
  const defaults = [1, 'x', null, false, ['/a'], { b: 2 }];
  const printed = {
    gunicorn: '23.0.0',
    settings: defaults.map((each) => Object.assign({}, setting, { default: each })),
  };
  expect(readAnswer(JSON.stringify(printed), '/x/python')).toEqual(printed);
});

test.each([
  ['no JSON', 'hello\n{}', 'SyntaxError'],
  ['another object', '{}', 'gunicorn is missing'],
  ['a text as a list', JSON.stringify({ gunicorn: '23', settings: 'x' }), 'settings: Expected Array but received "x"'],
  [
    'a setting without options',
    JSON.stringify({ gunicorn: '23', settings: [setting, { ...setting, options: null }] }),
    'settings.1.options: Expected Array but received null',
  ],
])('%s is refused, with the interpreter and the field', (_, output, expected) => {
  expect(refused(output)).toContain('the list of settings that /x/python printed: ');
  expect(refused(output)).toContain(expected);
});
