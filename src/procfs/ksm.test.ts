import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  cpuTimeOf,
  findKsmd,
  hasMergeableArea,
  isMergeable,
  parseAdvisor,
  parseKsmStat,
  readKsmSettings,
  readKsmStat,
  readKsmTotals,
  whyNoMerging,
} from './ksm.ts';
import { readStat } from './stat.ts';

const capture = (name: string): string => readFileSync(new URL(`captures/${name}`, import.meta.url), 'utf8');

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cowherd-ksm-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function host(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), `${text}\n`);
}

test('a process with merged memory, and one that does not allow merging', () => {
  expect(parseKsmStat(capture('merged.ksm_stat'))).toEqual({
    mergingPages: 9858,
    profit: 39_212_416,
    mergeable: true,
  });
  expect(parseKsmStat(capture('plain.ksm_stat'))).toEqual({ mergingPages: 0, profit: 0, mergeable: false });
});

test('older kernels do not tell whether a process allows merging; a loss is a negative profit', () => {
  const text = 'ksm_rmap_items 5000\nksm_zero_pages 0\nksm_merging_pages 3\nksm_process_profit -307712\n';
  expect(parseKsmStat(text)).toEqual({ mergingPages: 3, profit: -307_712, mergeable: null });
  expect(parseKsmStat('')).toBeNull();
});

test('on older kernels the flags of its areas tell', () => {
  expect(hasMergeableArea(capture('areas.smaps'))).toBe(true);
  expect(hasMergeableArea(capture('areas.smaps').replaceAll(' mg', ''))).toBe(false);
  expect(hasMergeableArea('VmFlags: mg\n')).toBe(true);
  expect(hasMergeableArea('')).toBe(false);
});

test('this process does not allow merging, and neither does a missing one', () => {
  expect(isMergeable(process.pid)).toBe(false);
  expect(isMergeable(2 ** 22 + 1)).toBe(false);
  expect(readKsmStat(2 ** 22 + 1)).toBeNull();
});

test('the settings of a host, with and without an advisor', () => {
  expect(readKsmSettings(folder)).toBeNull();
  host({ run: '0', pages_to_scan: '100', sleep_millisecs: '20' });
  const settings = { run: 0, pagesToScan: 100, sleepMs: 20, advisor: null };
  expect(readKsmSettings(folder)).toEqual(settings);
  host({ advisor_mode: '[none] scan-time' });
  expect(readKsmSettings(folder)).toEqual({ ...settings, advisor: 'none' });
});

test.each([
  ['[none] scan-time', 'none'],
  ['none [scan-time]', 'scan-time'],
  ['odd', null],
])('the advisor in %s', (text, advisor) => {
  expect(parseAdvisor(text)).toBe(advisor);
});

test('the counts of a host', () => {
  expect(readKsmTotals(folder)).toBeNull();
  host({ full_scans: '7', pages_shared: '10', pages_sharing: '30' });
  const totals = { fullScans: 7, pagesShared: 10, pagesSharing: 30, generalProfit: null };
  expect(readKsmTotals(folder)).toEqual(totals);
  host({ general_profit: '-4096' });
  expect(readKsmTotals(folder)).toEqual({ ...totals, generalProfit: -4096 });
});

test('why no memory can be merged', () => {
  expect(whyNoMerging(folder)).toEqual({ kind: 'not built in' });
  host({ run: '0' });
  expect(whyNoMerging(folder)).toEqual({ kind: 'too old' });
  host({ general_profit: '0' });
  expect(whyNoMerging(folder)).toBeNull();
});

test("the kernel's thread, if it is visible", () => {
  const ksmd = findKsmd();
  if (ksmd !== null) expect(readStat(ksmd)).toMatchObject({ name: 'ksmd', parentPid: 2 });
  expect(cpuTimeOf(process.pid)).toBeGreaterThan(0);
  expect(cpuTimeOf(null)).toBeNull();
  expect(cpuTimeOf(2 ** 22 + 1)).toBeNull();
});
