import { Argument, Command } from 'commander';
import { expect, test } from 'vitest';
import { modelsOf, optionModel } from './command-model.ts';

test.each([
  ['-b, --bind <ADDRESS>', { short: '-b', long: '--bind', value: 'ADDRESS' }],
  ['--json', { short: null, long: '--json', value: null }],
  ['--no-wait', { short: null, long: '--no-wait', value: null }],
  ['-R', { short: '-R', long: null, value: null }],
  ['--limit-request-field_size <INT>', { short: null, long: '--limit-request-field_size', value: 'INT' }],
])('the flags %s', (flags, expected) => {
  expect(optionModel(flags, 'what it is')).toEqual({ ...expected, description: 'what it is' });
});

test('a command with its arguments, choices, options and examples', () => {
  const program = new Command('cowherd');
  program
    .command('feed')
    .description('feed the herd')
    .addArgument(new Argument('<what>').choices(['hay', 'oats']))
    .argument('[times]')
    .option('--slowly', 'take time')
    .addHelpText('after', '\nExamples:\n  cowherd feed hay');
  expect(modelsOf(program)).toEqual([
    {
      name: 'feed',
      description: 'feed the herd',
      args: ['<what>', '[times]'],
      choices: ['hay', 'oats'],
      options: [
        { short: null, long: '--slowly', value: null, description: 'take time' },
        { short: '-h', long: '--help', value: null, description: 'print its help' },
      ],
      after: 'Examples:\n  cowherd feed hay',
    },
  ]);
});
