import { expect, test } from 'vitest';
import { CowherdError } from '../base/errors.ts';
import { writeOutput } from './output-file.ts';

test.each(['/dev/full', '/proc/nowhere/file'])('a file that cannot be written is an error of its own: %s', (path) => {
  expect(() => writeOutput(path, 'text')).toThrow(CowherdError);
  expect(() => writeOutput(path, 'text')).toThrow(`The output cannot be written: ${path} (`);
});
