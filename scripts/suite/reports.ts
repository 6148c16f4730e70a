/** Reads the reports of the test runners. */
import type { Outcome, Skip } from './outcome.ts';

/** Reads the report of suite/vitest-reporter.ts or of test-interpreters.py. */
export function readJson(text: string): Outcome {
  return JSON.parse(text) as Outcome;
}

/** Reads a JUnit XML report of pytest. Every test is a `testcase`, and so is a file that was left out. */
export function readJunit(text: string): Outcome {
  const head = /<testsuite [^>]*>/.exec(text)?.[0] ?? '';
  const number = (name: string): number => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(head)?.[1] ?? 0);
  const skips: Skip[] = [];
  for (const [, attributes = '', body = ''] of text.matchAll(/<testcase ([^>]*[^>/])>(.*?)<\/testcase>/gs)) {
    const skipped = /<skipped\b([^>]*)>/.exec(body)?.[1];
    if (skipped === undefined) continue;
    const place = [attribute(attributes, 'classname'), attribute(attributes, 'name')].filter((part) => part);
    skips.push({ test: place.join(' > '), reason: attribute(skipped, 'message') || null });
  }
  const failed = number('failures') + number('errors');
  return { passed: number('tests') - failed - number('skipped'), failed, skips };
}

function attribute(attributes: string, name: string): string | null {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1];
  if (value === undefined) return null;
  const named: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return value.replaceAll(/&(?:#(\d+)|(\w+));/g, (whole, code: string | undefined, entity: string | undefined) =>
    code === undefined ? (named[entity ?? ''] ?? whole) : String.fromCodePoint(Number(code)),
  );
}
