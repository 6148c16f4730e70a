import { expect, test } from 'vitest';
import { manualPages } from './manual-pages.ts';

const command = {
  name: 'feed',
  description: "the herd's meal",
  args: ['<what>'],
  choices: [],
  options: [{ short: '-s', long: '--slow-ly', value: 'seconds', description: '.5 is `fast` \\ ~ and ^' }],
  after: 'Examples:\n  cowherd feed hay\n  cowherd feed --slow-ly 3',
};
const pages = manualPages({
  version: '1.2.3',
  commands: [command],
  errors: [['NO_HAY', { exitStatus: 7, title: 'There is no hay', advice: 'Mow.' }]],
  serveHelp: 'Usage: cowherd serve\n\nServes an\napplication.\n\nExamples:\n  cowherd serve shop\n',
});

test('a page for all commands, and one for each', () => {
  expect(pages.map(({ file }) => file)).toEqual(['cowherd.1', 'cowherd-feed.1']);
  expect(pages[0]?.text).toContain('.TP\n\\fBcowherd\\-feed\\fR(1)\nthe herd\\(aqs meal\n');
  expect(pages[0]?.text).toContain('.TP\n\\fB7\\fR\nNO_HAY: There is no hay\n');
});

test('text prints as it is: no line is taken for a macro, and no character for another', () => {
  expect(pages[1]?.text.split('\n')).toEqual([
    '.\\" Made from the definitions of the commands (src/cli/manual).',
    '.TH COWHERD\\-FEED 1 "" "Cowherd 1.2.3" "Cowherd"',
    '.SH NAME',
    'cowherd\\-feed \\- the herd\\(aqs meal',
    '.SH SYNOPSIS',
    '.B cowherd feed',
    '\\fI<what>\\fR',
    '[\\fIoptions\\fR]',
    '.SH OPTIONS',
    '.TP',
    '\\fB\\-s\\fR, \\fB\\-\\-slow\\-ly\\fR \\fIseconds\\fR',
    '\\&.5 is \\(gafast\\(ga \\e \\(ti and \\(ha',
    '.SH EXAMPLES',
    '.nf',
    'cowherd feed hay',
    'cowherd feed \\-\\-slow\\-ly 3',
    '.fi',
    '.SH SEE ALSO',
    '.BR cowherd (1)',
    '',
  ]);
});

test('serve has its own help: its description and its examples come from there', () => {
  const [, page] = manualPages({
    version: '1.2.3',
    commands: [{ ...command, name: 'serve', after: '' }],
    errors: [],
    serveHelp: 'Usage: cowherd serve\n\nServes an\napplication.\n\nExamples:\n  cowherd serve shop\n',
  });
  expect(page?.text).toContain('.SH DESCRIPTION\nServes an application.\n');
  expect(page?.text).toContain('.SH EXAMPLES\n.nf\ncowherd serve shop\n.fi\n');
});
