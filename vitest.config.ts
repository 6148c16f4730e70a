import { defineConfig } from 'vitest/config';

/**
 * Three projects. `unit`: beside the source, pure, fast, in parallel. `process`: real servers and real interpreters,
 * a few files at a time: most of the time they wait for processes. `docs`: every command line of the docs, which takes
 * ten minutes (`make test-docs`).
 *
 * The limits are for what hangs. They say nothing about speed: a machine that is busy with other work may need many times
 * as long as an idle one, and no test may fail for that.
 */
const LONG_TESTS_OF_DOCS = ['test/docs/commands.test.ts', 'test/docs/reverse-proxies.test.ts'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'scripts/**/*.test.ts', 'bench/**/*.test.ts', 'compatibility/**/*.test.ts'],
          environment: 'node',
          setupFiles: ['./scripts/suite/seed.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'process',
          include: ['test/**/*.test.ts'],
          exclude: LONG_TESTS_OF_DOCS,
          environment: 'node',
          // `cowherd why` gives way to all others (nice 19): beside busy processes it takes minutes.
          testTimeout: 900_000,
          hookTimeout: 900_000,
          maxWorkers: 3,
          sequence: { concurrent: false },
        },
      },
      {
        test: {
          name: 'docs',
          include: LONG_TESTS_OF_DOCS,
          environment: 'node',
          testTimeout: 900_000,
          hookTimeout: 900_000,
          maxWorkers: 1,
        },
      },
    ],
  },
});
