/** The herd file as another supervisor finds it: written by this version, by others, damaged or forged. */
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import type * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytes, milliseconds } from '../../base/units.ts';
import { createLog } from '../../base/log.ts';
import { initialState, type HerdState } from '../herd/state.ts';
import { newMemoryWatch } from '../rules/recycling-state.ts';
import { sampleMold, sampleRollout, sampleRow, sampleSettings, sampleWorker } from '../samples/samples.ts';
import { noDurations, withDurations, withProcess } from '../herd/tallies.ts';
import { HerdFile, readHerdData, readHerdFile } from './herd-file.ts';
import type { herdState } from './herd-schema.ts';
import { notesOf } from './herd-notes.ts';

/** The type without its modifiers: that a list may be changed is nothing that a file could say. */
type Frozen<Type> = Type extends string | number | boolean | null | undefined
  ? Type
  : Type extends readonly (infer Item)[]
    ? readonly Frozen<Item>[]
    : Type extends object
      ? { readonly [Name in keyof Type]: Frozen<Type[Name]> }
      : Type;
type Fits<From, To> = [Frozen<From>] extends [Frozen<To>] ? true : false;
type Read = v.InferOutput<typeof herdState>;

// The compiler says here which of the two knows a field that the other one does not.
const outputIsState: Fits<Read, HerdState> = true;
const stateIsOutput: Fits<HerdState, Read> = true;

const origin = { python: '/srv/shop/.venv/bin/python', arguments: ['shop.wsgi', '--workers', '2'], cwd: '/srv/shop' };

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-herd-file-'));
  file = path.join(folder, 'herd.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

function rulesState(): Pick<HerdState, 'recycling' | 'refork' | 'heal'> {
  const memory = { private: newMemoryWatch(), pss: { ...newMemoryWatch(), limit: 'a tenth' }, rss: newMemoryWatch() };
  const reading = { pid: 101, private: bytes(5e6), requests: 2 ** 64, forkedAtMs: 4000 };
  const sample = { fullScans: 3, merged: bytes(4096) };
  const pause = milliseconds(1200);
  return {
    recycling: {
      counts: { private: 1, pss: 0, rss: 2, requests: 0, age: 0, herd_memory: 4 },
      stopped: [{ rule: 'rss', because: 'a new worker needs more', generation: 1, limit: 1e8 }],
      watches: { 101: { sampledAtMs: 7, memory, requests: { finished: 3, atMs: 8.5 }, dueSinceMs: 9 } },
      marked: { 102: 'herd_memory' },
      freshInARow: { private: 0, pss: 1, rss: 0 },
      herd: { budget: { used: 5.5e8, limit: 1e9 }, overSinceMs: 3, lastPid: 103, goneAtMs: 4, inARow: 1 },
    },
    refork: {
      rules: {
        reforks: 2,
        measuring: { generation: 2, pssBefore: bytes(1e9), requestsBefore: 12.5, estimated: bytes(1e8) },
        wins: [{ generation: 1, won: -5, wonPerWorker: -2.5, estimated: bytes(1e8) }],
        yieldPart: 0.25,
        steadySinceMs: 11,
        lastEstimate: 1.5e8,
        notBeforeMs: 12,
        failures: 1,
        stoppedBecause: 'the last one won little',
      },
      atRest: { nowMs: 10, herdPss: bytes(1e9), candidates: [reading] },
      seenRolloutAtMs: 13,
    },
    heal: {
      rules: {
        heals: 1,
        heal: {
          startedAtMs: 14,
          unsharedBefore: { 101: bytes(2e7) },
          estimated: bytes(1e7),
          progress: { first: sample, afterScan: sample, scans: 2, settled: false },
          ksmdBeforeMs: milliseconds(30),
          ended: { atMs: 15, ksmdMs: pause },
        },
        wins: [{ won: 1, estimated: bytes(2), tookMs: pause, ksmdMs: null }],
        yieldPart: 0.5,
        leftOver: { 101: bytes(1e6) },
        worthSinceMs: 16,
        notBeforeMs: 17,
        stoppedBecause: 'the last heal won little',
      },
      problem: 'there is no KSM',
      seenRolloutAtMs: 18,
    },
  };
}

/** A state in which every field has a value, and none is null. */
function fullState(): HerdState {
  const reasons = [{ policy: 'immortal', reason: 'it failed its self-test' }];
  const outcome = { kind: 'refork', by: 'a rule', from: 1, to: 2, startedAtMs: 1, endedAtMs: 2, failure: 'it died' };
  const said = { requests: [{ method: 'GET', path: '/slow', seconds: 0.5 }], responseErrors: 1, toldAtMs: 5000 };
  const listeners = ['http://127.0.0.1:8000'];
  const syslog = { path: null, host: 'localhost', port: 514, kind: 'dgram', facility: 8, prefix: 'shop' } as const;
  const settings = { ...sampleSettings, syslog, pidfile: '/run/shop.pid', herd_memory: 1e9 };
  const mold = {
    pid: 99,
    settings,
    listeners,
    policy: 'freeze',
    remarks: reasons,
    report: { frozen: 7 },
    backgroundSinceMs: 2,
    rejectedPolicies: reasons,
    dismissedAtMs: 3,
    leavesAfterWorkersBefore: 2,
  };
  const worker = {
    drainedAtMs: 4300,
    inFlight: said,
    replaceBecause: 'its age',
    failure: { code: 'WORKER_BOOT_FAILED', detail: 'x' },
    abortedAtMs: 4400,
    stack: 'File "shop.py"',
  };
  return {
    phase: 'serving',
    settings,
    keeperPid: 98,
    listeners,
    target: 2,
    generation: 1,
    newestGeneration: 2,
    rollout: sampleRollout({ retiring: { pid: 101, toldAtMs: 6 } }),
    reloadAgain: 'SIGHUP',
    previous: { generation: 1, untilMs: 60_000 },
    lastRollout: { ...outcome, kind: 'refork' },
    molds: {
      1: sampleMold(1, mold),
      2: sampleMold(2, mold),
    },
    nextMold: { atMs: 8, rejectedPolicies: reasons },
    moldDeathsInARow: 1,
    workers: { 101: sampleWorker(101, 0, worker), 102: sampleWorker(102, 1, worker) },
    forking: { 2: { generation: 1, askedAtMs: 9 } },
    deathsInARow: 1,
    forkNotBeforeMs: 10.5,
    crashLoop: { startedAtMs: 11, deaths: 5, lastError: 'exited with status 1' },
    ...rulesState(),
    guardCalls: [{ function: 'collect', package: 'shop', file: '/srv/shop/a.py', line: 3, held: true, workers: 2 }],
    tallies: {
      slots: { 0: withProcess(undefined, { row: sampleRow(100), minorFaults: 70, majorFaults: 1 }) },
      durations: withDurations(noDurations(), sampleRow(100)),
      deaths: { SIGSEGV: 2 },
      moldDeaths: 1,
      rollouts: { 'reload done': 3 },
      lastReloadAtMs: 18,
    },
    anyWorkerEverReady: true,
    requestsOfGone: 12,
    announcedReady: true,
    stop: {
      exitStatus: 0,
      error: { code: 'KEEPER_DIED', detail: 'x' },
      startedAtMs: 12,
      quick: false,
      killAtMs: 13,
      moldsToldAtMs: 14,
      keeperTold: true,
    },
    afresh: { orphansGone: false, notBeforeMs: 15 },
    keeperDeathsInARow: 0,
    keeperReadyAtMs: 16,
    keeperPulse: {
      heardAtMs: 17,
      isSilent: false,
      queues: [{ name: 'http://127.0.0.1:8000', waiting: 0, most: 2048 }],
    },
    predecessor: { keeperPid: 40, protocol: 1, phase: 'leaving' },
  };
}

type Json = Record<string, unknown>;

function saved(state: unknown = fullState(), changes: Json = {}): Json {
  return JSON.parse(JSON.stringify({ version: 1, supervisorPid: 97, origin, state, ...changes })) as Json;
}

function read(data: unknown): ReturnType<typeof readHerdFile> {
  writeFileSync(file, JSON.stringify(data));
  return readHerdFile(folder);
}

describe('a file of this version', () => {
  test('has what the supervisor knew, except for the pulse', () => {
    expect([outputIsState, stateIsOutput]).toEqual([true, true]);
    const log = createLog({ format: 'json', write: (line) => expect.unreachable(line) });
    const state = fullState();
    const writer = new HerdFile(folder, origin, log);
    writer.save(state);
    writer.stop();
    expect(readHerdFile(folder)).toEqual({
      saved: { supervisorPid: process.pid, origin, state: { ...state, keeperPulse: null } },
      problem: null,
    });
  });

  test('is written at once for what a successor must know, although one was written a moment ago', () => {
    const writer = new HerdFile(folder, origin, createLog({ format: 'json', write: () => {} }));
    const target = (): unknown => (JSON.parse(readFileSync(file, 'utf8')) as { state: Json }).state['target'];
    writer.save({ ...fullState(), target: 5 });
    writer.save({ ...fullState(), target: 6 });
    expect(target()).toBe(5);
    writer.save({ ...fullState(), target: 7 }, true);
    expect(target()).toBe(7);
    writer.stop();
  });

  test('is read with every field, and so is that of a herd that has just begun', () => {
    for (const state of [fullState(), initialState()]) {
      expect(read(saved(state))).toEqual({ saved: { supervisorPid: 97, origin, state }, problem: null });
    }
  });
});

/** The path of every field, those of lists and objects too. */
function fieldsOf(value: unknown, at: readonly string[] = []): string[][] {
  // What a mold reports is anything.
  if (typeof value !== 'object' || value === null || at.at(-1) === 'report') return [];
  return Object.entries(value).flatMap(([name, under]) => {
    const field = at.concat(name);
    return [field].concat(fieldsOf(under, field));
  });
}

function replaced(data: Json, [name = '', ...rest]: readonly string[], change: (before: unknown) => unknown): Json {
  const copy = (Array.isArray(data) ? [...(data as unknown[])] : { ...data }) as Json;
  const after = rest.length === 0 ? change(copy[name]) : replaced(copy[name] as Json, rest, change);
  if (after === undefined) delete copy[name];
  else copy[name] = after;
  return copy;
}

/** A value of a type that no field has where there was the other one. */
function wrong(before: unknown): unknown {
  if (typeof before === 'string' || before === null) return [[1]];
  return typeof before === 'object' ? 'x' : { x: 1 };
}

describe('a file that does not fit', () => {
  const fields = fieldsOf(saved()).filter(([name]) => name !== 'version');

  test('is refused for any field of another type, in one line that names the field', () => {
    expect(fields.length).toBeGreaterThan(300);
    for (const field of fields) {
      const result = read(replaced(saved(), field, wrong));
      expect(result.saved, field.join('.')).toBeNull();
      expect(result.problem).toMatch(new RegExp(String.raw`^${file}: ${field.join(String.raw`\.`)}[.: ][^\n]*$`));
    }
  });

  test('a missing field is refused, or has the value of a new herd; nothing is thrown', () => {
    const needed = fields.filter((field) => read(replaced(saved(), field, () => undefined)).saved === null);
    const names = needed.map((field) => field.join('.'));
    expect(names.filter((name) => /^state\.\w+$/.test(name))).toEqual(
      ['phase', 'settings', 'keeperPid', 'target', 'generation', 'newestGeneration', 'molds', 'workers'].map(
        (name) => `state.${name}`,
      ),
    );
    const of = (where: string): string[] =>
      names.filter((name) => name.startsWith(where)).map((name) => name.slice(where.length));
    expect(of('state.molds.2.').filter((name) => !name.includes('.'))).toEqual([
      'generation',
      'pid',
      'phase',
      'startedAtMs',
    ]);
    expect(of('state.workers.101.').filter((name) => !name.includes('.'))).toEqual([
      'pid',
      'slot',
      'generation',
      'phase',
      'forkedAtMs',
    ]);
    const without = replaced(saved(), ['state', 'target'], () => undefined);
    expect(read(without).problem).toBe(`${file}: state.target is missing`);
  });

  test.each([
    ['a text as a pid', ['state', 'molds', '2', 'pid'], 'x', 'state.molds.2.pid: Expected number but received "x"'],
    ['a fraction of a worker', ['state', 'target'], 2.5, 'state.target: Invalid integer: Received 2.5'],
    [
      'more workers than any herd has',
      ['state', 'target'],
      1e6,
      'state.target: Invalid value: Expected <=1000 but received 1000000',
    ],
    ['a key that is no pid', ['state', 'workers', 'x'], {}, 'state.workers.x: Invalid digits: Received "x"'],
    ['a process under another pid', ['state', 'workers', '101', 'pid'], 1, 'state.workers: one of them is under'],
    [
      'a phase of a newer version',
      ['state', 'phase'],
      'asleep',
      'state.phase: Expected ("starting" | "serving" | "stopping" | "ended") but received "asleep"',
    ],
    ['no text as the folder', ['origin', 'cwd'], 5, 'origin.cwd: Expected string but received 5'],
  ])('%s', (_, field, value, expected) => {
    expect(read(replaced(saved(), field, () => value)).problem).toContain(`${file}: ${expected}`);
  });

  test('what is no herd file at all is refused', () => {
    for (const text of ['', '{', 'null', '[]', '7', '"x"', '{}', '{"version":1}', '{"version":"1"}', '\0']) {
      writeFileSync(file, text);
      const { saved: found, problem } = readHerdFile(folder);
      expect(found, text).toBeNull();
      expect(problem, text).toMatch(new RegExp(String.raw`^${file}: .`));
      expect(notesOf(folder), text).toBeNull();
    }
    rmSync(file);
    expect(readHerdFile(folder)).toEqual({ saved: null, problem: `${file} does not exist` });
  });

  test('numbers beyond all numbers are refused', () => {
    const text = JSON.stringify(saved()).replace('"forkNotBeforeMs":10.5', '"forkNotBeforeMs":1e999');
    writeFileSync(file, text);
    expect(readHerdFile(folder).problem).toBe(`${file}: state.forkNotBeforeMs: Invalid finite: Received Infinity`);
  });

  test('a file that is too large is not read', () => {
    writeFileSync(file, '');
    truncateSync(file, 64 * 1024 * 1024 + 1);
    expect(readHerdFile(folder).problem).toMatch(/has more than 67108864 bytes$/);
  });

  test('a damaged file is refused or read, and never thrown', () => {
    const text = JSON.stringify(saved());
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 3 }), (at, instead) => {
        writeFileSync(file, text.slice(0, at) + instead + text.slice(at + 1));
        const { saved: found, problem } = readHerdFile(folder);
        expect((found === null) !== (problem === null)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a file of another version', () => {
  test.each([0, 2, 77])('version %s is refused as such', (version) => {
    expect(read(saved(fullState(), { version })).problem).toBe(`${file}: it is of version ${version}, not 1`);
    expect(readHerdData(folder).saved).toBeNull();
  });

  test('a file without a version is refused as such', () => {
    expect(read(saved(fullState(), { version: undefined })).problem).toBe(`${file}: version is missing`);
  });

  /** The fields that the first version wrote of a state, a mold, a worker, and of what rules remember. */
  const first = {
    state:
      'phase settings keeperPid listeners target generation newestGeneration rollout reloadAgain previous lastRollout molds nextMold moldDeathsInARow workers forking deathsInARow forkNotBeforeMs crashLoop recycling refork anyWorkerEverReady requestsOfGone announcedReady stop afresh keeperDeathsInARow keeperReadyAtMs',
    mold: 'generation pid phase settings listeners policy remarks report startedAtMs readyAtMs rejectedPolicies dismissedAtMs',
    worker:
      'pid slot generation phase forkedAtMs readyAtMs requestsFinished drainedAtMs replaceBecause failure abortedAtMs stack',
    refork: 'reforks measuring wins yieldPart lastEstimate notBeforeMs failures stoppedBecause',
  };

  function only(names: string, of: unknown): Json {
    return Object.fromEntries(Object.entries(of as Json).filter(([name]) => names.split(' ').includes(name)));
  }

  test('a file of the first version is read, and what it lacks is that of a new herd', () => {
    const full = fullState();
    const state = only(first.state, full);
    state['molds'] = Object.fromEntries(Object.entries(full.molds).map(([key, each]) => [key, only(first.mold, each)]));
    state['workers'] = Object.fromEntries(
      Object.entries(full.workers).map(([key, each]) => [key, only(first.worker, each)]),
    );
    state['refork'] = { ...full.refork, rules: { ...only(first.refork, full.refork.rules), steadyLooks: 3 } };
    state['anyRequestEverFinished'] = true;
    const fresh = initialState();
    expect(read(saved(state))).toEqual({
      saved: {
        supervisorPid: 97,
        origin,
        state: {
          ...full,
          molds: Object.fromEntries(
            Object.entries(full.molds).map(([key, each]) => [
              key,
              { ...each, backgroundSinceMs: null, threads: 0, leavesAfterWorkersBefore: null },
            ]),
          ),
          tallies: fresh.tallies,
          workers: Object.fromEntries(
            Object.entries(full.workers).map(([key, each]) => [
              key,
              { ...each, askedWhatItDoes: false, inFlight: null },
            ]),
          ),
          refork: { ...full.refork, rules: { ...full.refork.rules, steadySinceMs: null } },
          heal: fresh.heal,
          guardCalls: [],
          keeperPulse: null,
          predecessor: null,
        },
      },
      problem: null,
    });
  });

  test('the fewest fields make a state of a new herd', () => {
    const { phase, settings, keeperPid, target, generation, newestGeneration, molds, workers } = initialState();
    const few = { phase, settings, keeperPid, target, generation, newestGeneration, molds, workers };
    expect(read(saved(few)).saved?.state).toEqual(initialState());
  });

  test('fields of a newer version are dropped, at any depth', () => {
    const { workers, molds, ...state } = fullState();
    const more = (all: object): Json =>
      Object.fromEntries(Object.entries(all).map(([key, each]) => [key, { ...(each as Json), invented: [1] }]));
    const newer = { ...state, workers: more(workers), molds: more(molds), invented: { x: 1 } };
    expect(read(saved(newer, { invented: 1 }))).toEqual({
      saved: { supervisorPid: 97, origin, state: fullState() },
      problem: null,
    });
  });
});

test('commands name a herd by its file although a field that they do not need is wrong', () => {
  writeFileSync(file, JSON.stringify(replaced(saved(), ['state', 'molds'], () => 'x')));
  expect(notesOf(folder)).toMatchObject({ supervisorPid: 97, app: 'shop.wsgi', folder: '/srv/shop', workersWanted: 2 });
});
