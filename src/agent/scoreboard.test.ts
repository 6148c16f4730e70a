/** Compares the layouts of the scoreboard, and reads with each side what the other has written. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FIELDS, MAGIC, parseRow, ROW_BYTES, ROW_WORDS, Scoreboard, STATES, VERSION } from './scoreboard.ts';

const root = new URL('../../', import.meta.url);
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-scoreboard-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function python(program: string, ...args: string[]): string {
  return execFileSync(fileURLToPath(new URL('.venv/bin/python', root)), ['-c', program, ...args], {
    encoding: 'utf8',
    env: { PYTHONPATH: fileURLToPath(new URL('agent', root)) },
  });
}

test('both sides have the same layout', () => {
  const constants = JSON.parse(
    python(`
import json
from cowherd_agent import scoreboard
print(json.dumps({name: value for name, value in vars(scoreboard).items() if isinstance(value, int)}))
`),
  ) as Record<string, number>;
  const states = Object.fromEntries(STATES.map((name, value) => [`STATE_${name.toUpperCase()}`, value]));
  expect(constants).toEqual({
    // JSON has no integer of 64 bits: compared below.
    MAGIC: Number(MAGIC),
    VERSION: Number(VERSION),
    ROW_WORDS,
    ROW_BYTES,
    ...FIELDS,
    ...states,
  });
  expect(python('from cowherd_agent import scoreboard; print(scoreboard.MAGIC)').trim()).toBe(String(MAGIC));
});

test('every field has a word of its own, inside the row', () => {
  const words = Object.values(FIELDS);
  expect(new Set(words).size).toBe(words.length);
  for (const word of words) expect(word < ROW_WORDS).toBe(true);
});

test('what the agent writes in a slot is read from that slot, and from no other', () => {
  const file = path.join(folder, 'written');
  const board = Scoreboard.create(file, 4);
  const last = 2n ** 63n + 5n;
  python(
    `
import sys
from cowherd_agent import scoreboard
slot = scoreboard.Scoreboard.attach(sys.argv[1]).slot(2)
slot.claim(4711, 3, 1_000_000_007)
for word in range(4, 16):
    slot.words[word] = 1000 + word
slot.words[scoreboard.STATE] = scoreboard.STATE_DRAINING
slot.words[scoreboard.HEARTBEAT_MONOTONIC_NS] = ${last}
slot.words[scoreboard.COLLECTIONS_OUTSIDE_NS] = 2_500_000_000
`,
    file,
  );
  expect(board.row(2)).toEqual({
    pid: 4711,
    generation: 3,
    state: 'draining',
    forkedMonotonicNs: 1_000_000_007n,
    readyMonotonicNs: 1004n,
    heartbeatMonotonicNs: last,
    requestsStarted: 1006,
    requestsFinished: 1007,
    collectionsOutside: 1008,
    collectionsOutsideSeconds: 2.5,
    collectionsInside: 1010,
    collectionsInsideSeconds: 1011 / 1e9,
    guardHeld: 1012,
    guardReported: 1013,
    objectsFreed: 1014,
    responseErrors: 1015,
  });
  for (const slot of [0, 1, 3]) expect(board.row(slot)).toBeNull();
  board.close();
});

test('there is no row before the first slot nor behind the last', () => {
  const board = Scoreboard.create(path.join(folder, 'small'), 2);
  for (const slot of [-1, 2, 1000]) expect(board.row(slot)).toBeNull();
  board.close();
});

test('the file is open to its owner only, and a file that is there is emptied', () => {
  const file = path.join(folder, 'again');
  writeFileSync(file, Buffer.alloc(10 * ROW_BYTES, 0xff), { mode: 0o600 });
  const board = Scoreboard.create(file, 3);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(file).size).toBe(4 * ROW_BYTES);
  for (const slot of [0, 1, 2]) expect(board.row(slot)).toBeNull();
  board.close();
});

test('a state that this version does not know is not taken for another', () => {
  const row = Buffer.alloc(ROW_BYTES);
  row.writeBigUInt64LE(99n, FIELDS.STATE * 8);
  expect(parseRow(row).state).toBe('empty');
});

test('every field is read from its own word', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(2 ** 31), { minLength: 16, maxLength: 16 }), (words) => {
      const row = Buffer.alloc(ROW_BYTES);
      for (const [index, word] of words.entries()) row.writeBigUInt64LE(BigInt(word), index * 8);
      const parsed = parseRow(row);
      expect(parsed.pid).toBe(words[FIELDS.PID]);
      expect(parsed.heartbeatMonotonicNs).toBe(BigInt(words[FIELDS.HEARTBEAT_MONOTONIC_NS]!));
      expect(parsed.requestsStarted).toBe(words[FIELDS.REQUESTS_STARTED]);
      expect(parsed.requestsFinished).toBe(words[FIELDS.REQUESTS_FINISHED]);
      expect(parsed.collectionsInsideSeconds).toBe(words[FIELDS.COLLECTIONS_INSIDE_NS]! / 1e9);
      expect(parsed.responseErrors).toBe(words[FIELDS.RESPONSE_ERRORS]);
    }),
  );
});
