import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sampleMold, sampleWorker } from '../../supervisor/samples/samples.ts';
import { initialState } from '../../supervisor/herd/state.ts';
import { statusReport, type StatusReport } from '../../supervisor/control/status.ts';
import { formatStatus } from './herd-table.ts';

const MIB = 1024 * 1024;

function reportOf(workers: number): StatusReport {
  const state = initialState();
  state.listeners = ['http://127.0.0.1:8000'];
  state.phase = 'serving';
  state.generation = 1;
  state.target = workers;
  state.molds[1] = sampleMold(1, { pid: 10, policy: 'immortal' });
  for (let slot = 0; slot < workers; slot += 1) {
    state.workers[100_000 + slot] = sampleWorker(100_000 + slot, slot, { phase: 'ready' });
  }
  const memory = {
    rss: 1337 * MIB,
    pss: 1106 * MIB,
    shared: 1287 * MIB,
    private: 49 * MIB,
    unshared: 5 * MIB,
    fresh: 45 * MIB,
  };
  return statusReport({
    state,
    nowMs: 10_000,
    nowMonotonicNs: 10_000_000_000n,
    startedAtMs: 1000,
    folder: '/srv/shop',
    runtimeDirectory: '/run/cowherd/shop-1a2b3c-4d5e6f',
    python: '/usr/bin/python3',
    supervisor: { pid: 1, rss: 70 * MIB },
    keeperRss: 12 * MIB,
    isAlive: () => true,
    sampleOf: () => ({ memory, minorFaults: 1, majorFaults: 0, sampledAtMs: 9000 }),
    rowOf: () => null,
    sampling: { budgetPercent: 1, spentPercent: 0.5 },
    host: { memory_total: 1, memory_free: 2 * MIB, memory_available: 3 * MIB, page_cache: 4 * MIB },
  });
}

function linesOf(workers: number, columns: number, rows?: number): string[] {
  const screen = rows === undefined ? { columns } : { columns, rows };
  return stripVTControlCharacters(formatStatus(reportOf(workers), screen)).split('\n');
}

describe('the status on a terminal', () => {
  test('has every column if there is room, with the unit below the name', () => {
    const lines = stripVTControlCharacters(formatStatus(reportOf(2))).split('\n');
    const head = lines.findIndex((line) => line.startsWith('process'));
    expect(lines[head]?.split(/  +/)).toHaveLength(13);
    expect(lines[head + 1]?.match(/MiB/g)).toHaveLength(6);
    // The unit is right-aligned with its name.
    expect(lines[head]!.indexOf('unshared') + 'unshared'.length).toBe(
      lines[head + 1]!.split('MiB', 5).join('MiB').length + 3,
    );
    expect(lines[1]).toBe('folder /srv/shop, runtime directory /run/cowherd/shop-1a2b3c-4d5e6f');
  });

  test('with 80 columns and 24 rows has the main columns, and the number of rows cut', () => {
    const lines = linesOf(40, 80, 24);
    const head = lines.find((line) => line.startsWith('process'))!;
    for (const name of ['process', 'pid', 'state', 'requests', 'in flight', 'unshared']) expect(head).toContain(name);
    for (const name of ['collections', 'rss']) expect(head).not.toContain(name);
    const shown = lines.filter((line) => /^(worker|mold) \d/.test(line)).length;
    expect(lines.find((line) => line.includes(' more: '))).toMatch(new RegExp(`^${41 - shown} more: `));
    expect(lines.at(-1)).toMatch(/^Host: |keeper/);
  });

  test('without a number of rows is not cut', () => {
    expect(linesOf(40, 80).filter((line) => line.startsWith('worker '))).toHaveLength(40);
  });

  test('fits any size', () => {
    fc.assert(
      fc.property(
        fc.nat(60),
        fc.integer({ min: 50, max: 200 }),
        fc.integer({ min: 6, max: 60 }),
        (workers, columns, rows) => {
          const lines = linesOf(workers, columns, rows);
          expect(lines.length).toBeLessThan(rows);
          for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
          const shown = lines.filter((line) => /^(worker|mold) \d/.test(line)).length;
          if (shown < workers + 1 && lines.some((line) => line.startsWith('process'))) {
            expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^${workers + 1 - shown} more: `)));
          }
        },
      ),
    );
  });
});
