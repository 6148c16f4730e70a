import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { mountScript } from './mounts.ts';

const NOTHING = { scratch: '/scratch', covered: [], kept: [], hidden: [], accounts: [] };

test('what is kept is carried over before its folder is covered, and put back after', () => {
  const lines = mountScript({
    ...NOTHING,
    covered: ['/home/me'],
    kept: ['/home/me/.pyenv/versions/3.11.7'],
    hidden: ['/usr/bin/python3.12'],
    accounts: ['/etc/passwd'],
  }).split('\n');
  const place = (start: string): number => lines.findIndex((line) => line.includes(start));
  const order = [
    "mount --bind '/home/me/.pyenv/versions/3.11.7' '/scratch/tmp/.kept/0'",
    "mount --rbind '/scratch/tmp' /tmp",
    "covered '/home/me'",
    "mount --bind '/tmp/.kept/0' '/home/me/.pyenv/versions/3.11.7'",
    "mount --bind /dev/null '/usr/bin/python3.12'",
    "mount --bind '/tmp/.kept/passwd' '/etc/passwd'",
    'exec "$@"',
  ].map(place);
  expect(order).toEqual(order.toSorted((left, right) => left - right));
  expect(order).not.toContain(-1);
});

test('names with anything in them are one word each', () => {
  const script = mountScript({ ...NOTHING, hidden: [`/odd 'name'; exit 7 #`] });
  const line = script.split('\n').find((each) => each.includes('odd')) ?? '';
  expect(execFileSync('sh', ['-c', line.replace('mount', 'printf %s,')], { encoding: 'utf8' })).toBe(
    `--bind,/dev/null,/odd 'name'; exit 7 #,`,
  );
});
