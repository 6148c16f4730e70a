import { expect, test } from 'vitest';
import { CASES } from './cases.ts';
import { commandOf } from './commands.ts';

const place = { port: 8000, folder: '/somewhere' };

test.each(CASES)(
  '$name: both servers get the same application and the same arguments, and no setting more',
  (tried) => {
    const common = [`${tried.application}:app`, '--bind', '127.0.0.1:8000', '--workers', '4'];
    const own = new Set(['--preload', '--control-socket', '--python', '--runtime-dir', '--log-format']);
    for (const server of ['gunicorn', 'cowherd'] as const) {
      const words = commandOf(server, tried, place);
      expect(words.join(' ')).toContain(common.join(' '));
      const options = words.filter((word) => word.startsWith('--') && !common.includes(word));
      expect(options.filter((option) => !own.has(option))).toEqual([]);
    }
  },
);

test('auto-instrumentation starts the server', () => {
  const tried = CASES.find(({ name }) => name === 'otel-auto-http')!;
  expect(commandOf('cowherd', tried, place).map((word) => word.split('/').at(-1))).toEqual(
    expect.arrayContaining(['opentelemetry-instrument', 'cowherd', 'serve']),
  );
  expect(commandOf('gunicorn', tried, place)[0]).toMatch(/opentelemetry-instrument$/);
});
