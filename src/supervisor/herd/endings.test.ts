import { expect, test } from 'vitest';
import { describeEnding, signalName } from './endings.ts';

test.each([
  [9, 'SIGKILL'],
  [11, 'SIGSEGV'],
  [15, 'SIGTERM'],
  [99, 'signal 99'],
])('signal %i is %s', (number, name) => {
  expect(signalName(number)).toBe(name);
});

test('an ending is described by its status or its signal', () => {
  expect(describeEnding({ exitStatus: 3, signal: null })).toBe('exited with status 3');
  expect(describeEnding({ exitStatus: null, signal: 11 })).toBe('was ended by SIGSEGV');
  expect(describeEnding({ exitStatus: null, signal: null })).toBe('exited with status ?');
});

test('SIGKILL, sent only by the kernel or an operator, comes with its most likely cause', () => {
  expect(describeEnding({ exitStatus: null, signal: 9 })).toBe('was ended by SIGKILL (perhaps out of memory)');
});
