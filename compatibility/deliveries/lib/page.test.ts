import { expect, test } from 'vitest';
import { tableOf, withFigures } from './page.ts';
import { type CaseResult, NOT_SERVED } from './result.ts';

const good = {
  ...NOT_SERVED,
  requests: 600,
  tally: { sent: 602, delivered: 602, lost: 0, doubled: 0 },
  problems: [],
};
const results: CaseResult[] = [
  {
    name: 'sentry',
    title: 'Sentry',
    counted: 'transactions',
    trials: {
      cowherd: good,
      gunicorn: {
        ...good,
        requests: 400,
        failed: 2,
        tally: { sent: 401, delivered: 200, lost: 201, doubled: 3 },
      },
    },
  },
];
const page = '# Title\n<!-- figures: written by make test-deliveries -->\nold\n<!-- end of the figures -->\nEnd\n';

test('figures take the place of those before, and nothing else changes', () => {
  const written = withFigures(page, results, { python: '3.14.8' });
  expect(written).toMatch(/^# Title\n/);
  expect(written).toMatch(/-->\nEnd\n$/);
  expect(written).not.toContain('old');
  expect(written).toContain('CPython 3.14.8, ');
  expect(written).toContain(
    '| Sentry | transactions | 600 | 602 of 602 | 0 | 400, **2 failed** | 200 of 401, **201 lost**, **3 doubled** |',
  );
  expect(withFigures(written, results, { python: '3.14.8' })).toBe(written);
});

test('a page without a place for them is refused', () => {
  expect(() => withFigures('# Title\n', results, {})).toThrow('no place');
});

test('the table has a line for each server', () => {
  const lines = tableOf(results).split('\n');
  expect(lines.filter((line) => line.includes('sentry'))).toHaveLength(2);
  expect(lines.find((line) => line.includes('gunicorn'))).toMatch(/201/);
});
