import { describe, expect, it } from 'vitest';
import { judgeFailures, killOf, type WorkerKill } from './verdicts.ts';
import type { Failure } from './visits.ts';

const kill: WorkerKill = {
  pid: 7,
  stoppedAtMs: 1000,
  killedAtMs: 1002,
  endedAtMs: 1003,
  clientPorts: [40_001, 40_002],
};
const failure: Failure = {
  number: 1,
  kind: 'small',
  reused: false,
  port: 40_001,
  openedAtMs: 990,
  sentAtMs: 990,
  failedAtMs: 1003,
  bytesOfAnswer: 0,
  reason: 'ECONNRESET',
};

describe('killOf', () => {
  it('finds the kill of the worker that had accepted the connection', () => {
    expect(killOf(failure, [kill])).toBe(kill);
  });

  it.each([
    ['the connection was another worker’s', { port: 40_003 }],
    ['there was no connection', { port: null, openedAtMs: null }],
    ['it was opened after the kill, from the same port', { openedAtMs: 1001 }],
    ['it had failed before', { failedAtMs: 1001 }],
  ])('finds none where %s', (_, change) => {
    expect(killOf({ ...failure, ...change }, [kill])).toBeNull();
  });
});

describe('judgeFailures', () => {
  it('tells lost requests from those that a kill took, and the most of one kill', () => {
    const other = { ...kill, stoppedAtMs: 2000, killedAtMs: 2001, endedAtMs: 2002, clientPorts: [40_009] };
    const failures = [
      failure,
      { ...failure, port: 40_002 },
      { ...failure, port: 40_009, failedAtMs: 2002 },
      { ...failure, port: null, reason: 'ECONNREFUSED' },
    ];
    const { lost, inFlightOnKilled, mostOnOneKilled } = judgeFailures(failures, [kill, other]);
    expect(lost).toEqual([failures[3]]);
    expect(inFlightOnKilled).toEqual(failures.slice(0, 3));
    expect(mostOnOneKilled).toBe(2);
  });
});
