/** Compares the layouts of the scoreboard, and reads with one side what the other has written. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import {
  DURATION_BOUNDS_SECONDS,
  FIELDS,
  parseRow,
  ROW_BYTES,
  ROW_WORDS,
  Scoreboard,
  SIZE_BYTES,
  STACK_OFFSET,
  STATES,
} from './scoreboard.ts';

const root = new URL('../../', import.meta.url);
const PYTHON = fileURLToPath(new URL('.venv/bin/python', root));
const env = { PYTHONPATH: fileURLToPath(new URL('agent', root)) };

function python(program: string): string {
  return execFileSync(PYTHON, ['-c', program], { encoding: 'utf8', env });
}

let holder: ChildProcess | null = null;

/** A process that makes a row, runs `program` with it as `descriptor`, and holds it until the test is over. */
async function rowOf(program: string): Promise<{ keeperPid: number; descriptor: number }> {
  const child = spawn(
    PYTHON,
    [
      '-c',
      `import os, sys
from cowherd_agent.wire import scoreboard
descriptor = scoreboard.make()
${program}
print(descriptor, flush=True)
sys.stdin.read()`,
    ],
    { env, stdio: ['pipe', 'pipe', 'inherit'] },
  );
  holder = child;
  const descriptor = await new Promise<number>((resolve, reject) => {
    child.stdout.once('data', (data: Buffer) => resolve(Number(data.toString())));
    child.once('exit', (status) => reject(new Error(`ended with ${status}`)));
  });
  return { keeperPid: child.pid!, descriptor };
}

afterEach(() => {
  holder?.stdin?.end();
  holder = null;
});

test('both sides have the same layout', () => {
  const constants = JSON.parse(
    python(`
import json
from cowherd_agent.wire import scoreboard
print(json.dumps({name: value for name, value in vars(scoreboard).items() if isinstance(value, (int, tuple))}))
`),
  ) as Record<string, unknown>;
  const bounds = { DURATION_BOUNDS_NS: DURATION_BOUNDS_SECONDS.map((seconds) => seconds * 1e9) };
  const states = Object.fromEntries(STATES.map((name, value) => [`STATE_${name.toUpperCase()}`, value]));
  expect(constants).toEqual(
    expect.objectContaining({ ROW_WORDS, ROW_BYTES, SIZE_BYTES, STACK_OFFSET, ...FIELDS, ...states, ...bounds }),
  );
});

test('every field has its own word, inside the row', () => {
  const words = Object.values(FIELDS);
  expect(new Set(words).size).toBe(words.length);
  for (const word of words) expect(word < ROW_WORDS).toBe(true);
  // The buckets fill the rest.
  expect(FIELDS.DURATION_BUCKETS + DURATION_BOUNDS_SECONDS.length + 1).toBe(ROW_WORDS);
});

test("a worker's row can be read, also after the worker has ended", async () => {
  const last = 2n ** 63n + 5n;
  const { keeperPid, descriptor } = await rowOf(`
child = os.fork()
if child == 0:
    slot = scoreboard.Slot.map(2, descriptor)
    slot.claim(4711, 3, 1_000_000_007)
    for word in range(4, scoreboard.ROW_WORDS):
        slot.words[word] = 1000 + word
    slot.words[scoreboard.STATE] = scoreboard.STATE_DRAINING
    slot.words[scoreboard.HEARTBEAT_MONOTONIC_NS] = ${last}
    slot.words[scoreboard.COLLECTIONS_OUTSIDE_NS] = 2_500_000_000
    os._exit(0)
os.waitpid(child, 0)
`);
  const board = new Scoreboard();
  expect(board.open(4711, keeperPid, descriptor)).toBeNull();
  expect(board.row(4711)).toEqual({
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
    busySeconds: 1016 / 1e9,
    busySinceMonotonicNs: 1017n,
    durationSeconds: 1018 / 1e9,
    durationBuckets: Array.from({ length: ROW_WORDS - 19 }, (_, bucket) => 1019 + bucket),
  });
  expect(board.row(4712)).toBeNull();
  // The row remains while there is no keeper.
  const gone = new Promise((resolve) => holder!.once('exit', resolve));
  holder!.stdin!.end();
  await gone;
  expect(board.row(4711)?.requestsFinished).toBe(1007);
  board.close(4711);
  expect(board.row(4711)).toBeNull();
});

test('a row counts only for its own worker, and only after it is claimed', async () => {
  const { keeperPid, descriptor } = await rowOf('scoreboard.Slot.map(0, descriptor).claim(4711, 1, 1)');
  const board = new Scoreboard();
  expect(board.open(4712, keeperPid, descriptor)).toBeNull();
  expect(board.row(4712)).toBeNull();
  board.closeAll();
});

test('the stack after the row is read to its end', async () => {
  const { keeperPid, descriptor } = await rowOf(`
os.lseek(descriptor, scoreboard.STACK_OFFSET, os.SEEK_SET)
os.write(descriptor, "in größe\\n".encode())
`);
  const board = new Scoreboard();
  expect(board.open(7, keeperPid, descriptor)).toBeNull();
  expect(board.stack(7)).toBe('in größe\n');
  expect(board.stack(8)).toBe('');
  board.closeAll();
});

test('a stack that fills its space is read completely', async () => {
  const { keeperPid, descriptor } = await rowOf(`
os.lseek(descriptor, scoreboard.STACK_OFFSET, os.SEEK_SET)
while True:
    try:
        os.write(descriptor, b"x" * 60_000)
    except OSError:
        break
    left = scoreboard.SIZE_BYTES - os.lseek(descriptor, 0, os.SEEK_CUR)
    if left:
        os.write(descriptor, b"x" * left)
`);
  const board = new Scoreboard();
  expect(board.open(7, keeperPid, descriptor)).toBeNull();
  expect(board.stack(7)).toHaveLength(SIZE_BYTES - STACK_OFFSET);
  board.closeAll();
});

test('a missing row is reported, and reads as null', () => {
  const board = new Scoreboard();
  expect(board.open(7, process.pid, 999_999)).toContain('ENOENT');
  expect(board.row(7)).toBeNull();
});

test('an unknown state is not mistaken for another', () => {
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
