import fc from 'fast-check';
import { expect, test } from 'vitest';
import { understood } from './control-replies.ts';
import { sampleReport } from '../samples/sample-report.ts';

const status = { type: 'status', report: sampleReport() };

test('a status is read back unchanged', () => {
  expect(understood(JSON.stringify(status))).toEqual(status);
});

test('additional fields of a newer supervisor are kept', () => {
  const newer = structuredClone(status) as { report: { herd: object; workers: object[] } };
  Object.assign(newer.report.herd, { phase: 'dreaming', moons: 2 });
  Object.assign(newer.report.workers[0] ?? {}, { state: 'asleep', colour: 'red' });
  expect(understood(JSON.stringify(newer))).toEqual(newer);
});

/** Every place in a value, as a path. */
function places(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  // The contents of a mold's report are not guaranteed.
  if (path.at(-1) === 'report' && path.length > 1) return [path];
  return [path, ...Object.entries(value).flatMap(([key, each]) => places(each, [...path, key]))];
}

test('a reply with any part of the wrong type is rejected, and the part is named', () => {
  for (const path of places(status)) {
    const wrong: unknown = structuredClone(status);
    let at = wrong as Record<string, unknown>;
    for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
    if (path.length === 0) continue;
    const last = path.at(-1) ?? '';
    at[last] = typeof at[last] === 'boolean' ? 7 : true;
    expect(understood(JSON.stringify(wrong)), path.join('.')).toMatch(/^a reply with an unexpected value of .+$/);
  }
});

test.each([
  '{"type":"stopping","pid":-1}',
  '{"type":"stopping","pid":0}',
  '{"type":"stopping","pid":1.5}',
  '{"type":"stopping","pid":"1"}',
  '{"type":"answered","accepted":"yes","text":"","generation":null}',
  '{"type":"nothing"}',
  '{}',
  'null',
  '[]',
  '{',
  '',
])('%s is rejected', (line) => {
  expect(typeof understood(line)).toBe('string');
});

test('any other line is rejected with a reason', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (line) => {
      expect(typeof understood(line)).toBe('string');
    }),
  );
});
