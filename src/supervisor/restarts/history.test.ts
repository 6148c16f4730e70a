import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { appendRecord, historyFile, historyFolder, listHistories, MOST_RECORDS, readHistory } from './history.ts';
import { beginRestart, recordOf, type RestartRecord } from './restart-record.ts';
import { herdName, herdNamePrefix } from '../runtime-directory/runtime-directory.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-history-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function record(to: number): RestartRecord {
  const what = { kind: 'reload' as const, by: 'a test', from: to - 1, to, started: '', startedAtMs: 0, workers: 1 };
  return recordOf(beginRestart(what, null, []), { endedAtMs: 1, settledAtMs: 1, failure: null });
}

describe('the folder', () => {
  const user = { stateDirectory: undefined, xdgStateHome: undefined, uid: 1000, home: '/home/ann' };

  test.each([
    ["a user's", {}, '/home/ann/.local/state/cowherd'],
    ["root's", { uid: 0 }, '/var/lib/cowherd'],
    ['by XDG_STATE_HOME', { uid: 0, xdgStateHome: '/state' }, '/state/cowherd'],
    [
      'by XDG_STATE_HOME that is not absolute, which is to be ignored',
      { xdgStateHome: 'state' },
      '/home/ann/.local/state/cowherd',
    ],
    ["systemd's StateDirectory, the first", { stateDirectory: '/var/lib/shop:/var/lib/more' }, '/var/lib/shop'],
  ])('%s', (_, changes, expected) => {
    expect(historyFolder({ ...user, ...changes })).toBe(expected);
  });
});

test("a herd's file is found by the folder that it was started from; two herds have two files", () => {
  const ofHerd = (name: string): string => path.basename(historyFile(folder, path.join('/run/cowherd', name)));
  const name = herdName('/srv/shop', ['shop:app']);
  expect(ofHerd(name).startsWith(herdNamePrefix('/srv/shop'))).toBe(true);
  expect(ofHerd(name)).not.toBe(ofHerd(herdName('/srv/shop', ['admin:app'])));
});

test('records are kept in order, open to their owner only', () => {
  const file = path.join(folder, 'deeper', 'shop.jsonl');
  expect(readHistory(file)).toEqual({ records: [], leftOut: [] });
  appendRecord(file, record(2));
  appendRecord(file, record(3));
  expect(readHistory(file)).toEqual({ records: [record(2), record(3)], leftOut: [] });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
});

test('the last 200 are kept', () => {
  const file = path.join(folder, 'shop.jsonl');
  for (let to = 2; to < MOST_RECORDS + 5; to += 1) appendRecord(file, record(to));
  const { records } = readHistory(file);
  expect(records.length).toBe(MOST_RECORDS);
  expect(records[0]?.to).toBe(5);
  expect(records.at(-1)?.to).toBe(MOST_RECORDS + 4);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a truncated line does not affect others', () => {
  const file = path.join(folder, 'shop.jsonl');
  appendRecord(file, record(2));
  appendFileSync(file, '{"kind":"rel');
  appendRecord(file, record(3));
  expect(readHistory(file)).toEqual({ records: [record(2), record(3)], leftOut: ['line 2: it is no JSON'] });
});

/** A record in which every field has a value, and none is null. */
function fullRecord(): RestartRecord {
  const host = { total: 16e9, free: 4e9, available: 8e9, cached: 3e9 };
  const reading = { pid: 7, role: 'worker', generation: 1, minorFaults: 5, majorFaults: 1 } as const;
  const what = {
    kind: 'reload',
    by: 'SIGHUP',
    from: 1,
    to: 2,
    started: '2026-01-02',
    startedAtMs: 0,
    workers: 2,
  } as const;
  const restart = beginRestart(what, host, [{ ...reading, requestsFinished: 9, responseErrors: 0 }]);
  restart.peakPss = 1e9;
  return recordOf(restart, { endedAtMs: 1500, settledAtMs: 2500, failure: 'its mold died' });
}

describe('a line', () => {
  const first = fullRecord();

  function read(line: unknown): ReturnType<typeof readHistory> {
    const file = path.join(folder, 'shop.jsonl');
    writeFileSync(file, `${JSON.stringify(first)}\n${JSON.stringify(line)}\n`);
    const { records, leftOut } = readHistory(file);
    expect(records[0]).toEqual(first);
    return { records: records.slice(1), leftOut };
  }

  test('with fields that a later version has added is read, and they are kept', () => {
    const line = { ...first, added: 1, host: { ...first.host, added: 2 }, kind: 'hand_over' };
    expect(read(line)).toEqual({ records: [line], leftOut: [] });
  });

  test.each([0, 2])('of version %s is left out, and told of', (version) => {
    expect(read({ ...first, version })).toEqual({
      records: [],
      leftOut: [`line 2: it is of version ${version}, not 1`],
    });
  });

  test.each(Object.keys(fullRecord()))('with another type of %s, or without it, is left out, and told of', (name) => {
    expect(read({ ...first, [name]: [[1]] })).toEqual({
      records: [],
      leftOut: [expect.stringMatching(new RegExp(`^line 2: ${name}[.: ]`))],
    });
    expect(read({ ...first, [name]: undefined }).leftOut).toEqual([`line 2: ${name} is missing`]);
  });

  test.each([null, 7, 'x', [], {}])('that is %j is left out', (line) => {
    expect(read(line).leftOut).toEqual([expect.stringMatching(/^line 2: ./)]);
  });
});

test('a path through a file is a system error', () => {
  writeFileSync(path.join(folder, 'file'), '');
  expect(() => appendRecord(path.join(folder, 'file', 'shop.jsonl'), record(2))).toThrow(/ENOTDIR|EEXIST/);
});

test('the histories of the latest herds are kept, and so are files that are no histories', () => {
  writeFileSync(path.join(folder, 'events.jsonl'), '');
  utimesSync(path.join(folder, 'events.jsonl'), 0, 0);
  for (let herd = 1; herd <= 105; herd += 1) {
    const file = path.join(folder, `${herd}-0a1b2c.jsonl`);
    appendRecord(file, record(2));
    utimesSync(file, herd, herd);
  }
  const left = listHistories(folder).map((file) => path.basename(file, '-0a1b2c.jsonl'));
  expect(left).toEqual([...Array.from({ length: 100 }, (_, index) => `${105 - index}`), 'events.jsonl']);
});

test('the histories of a folder, the latest first', () => {
  mkdirSync(path.join(folder, 'other'));
  for (const [name, seconds] of [
    ['old.jsonl', 1000],
    ['new.jsonl', 3000],
    ['middle.jsonl', 2000],
    ['notes.txt', 4000],
  ] as const) {
    writeFileSync(path.join(folder, name), '');
    utimesSync(path.join(folder, name), seconds, seconds);
  }
  expect(listHistories(folder).map((file) => path.basename(file))).toEqual(['new.jsonl', 'middle.jsonl', 'old.jsonl']);
  expect(listHistories(path.join(folder, 'nowhere'))).toEqual([]);
});
