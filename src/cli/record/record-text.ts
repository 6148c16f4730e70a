/** The output of `cowherd record` as lines for a terminal. */
import pc from 'picocolors';
import { printableIn } from '../../base/printable.ts';
import { bytes, formatCount, formatMiB, formatMiBNumber } from '../../base/units.ts';
import { FAULT_CAUSE_NAMES, FAULT_CAUSES } from '../../faults/profile/causes.ts';
import { hasNone, NO_COUNTERS } from '../../faults/recording/counters.ts';
import type { CounterGroup, FunctionShare, RecordReport } from '../../faults/recording/report.ts';
import { plainTable } from '../shared/plain-table.ts';

const MOST_FUNCTIONS = 12;
const MOST_PYTHON_FUNCTIONS = 8;
const MOST_STACKS = 5;
const MOST_PROCESSES = 12;
const MOST_LINES_OF_TIME = 20;
const BAR_WIDTH = 40;
/** Only the innermost frames are shown, which tell the most. */
const STACK_FRAMES = 6;

export function formatRecord(raw: RecordReport): string {
  const report = printableIn(raw);
  const sections = [
    formatHead(report),
    ...(report.faults === 0 ? ['Nothing was copied.'] : formatFindings(report)),
    ...(report.counters === null ? [] : [formatCounters(report.counters)]),
    ...(report.remarks.length === 0 ? [] : [pc.yellow(report.remarks.join('\n'))]),
  ];
  return `${sections.join('\n\n')}\n`;
}

function formatHead(report: RecordReport): string {
  const copied = pc.bold(`${formatCount(report.faults)} faults, ${formatMiB(bytes(report.bytes))} copied`);
  const lost =
    report.lost === 0 ? 'none lost' : pc.red(`${formatCount(report.lost)} lost (${report.lost_percent.toFixed(2)}%)`);
  return [
    `${report.title}: ${copied} in ${report.seconds.toFixed(1)} s; ${lost}`,
    pc.dim(`${report.instrument.event}: ${report.instrument.meaning}`),
  ].join('\n');
}

function formatFindings(report: RecordReport): string[] {
  return [
    formatCauses(report),
    formatTime(report),
    ...(report.processes.length > 1 ? [formatProcesses(report)] : []),
    formatFunctions('function', report.functions.slice(0, MOST_FUNCTIONS)),
    ...(report.python_functions.length === 0
      ? []
      : [formatFunctions('Python function', report.python_functions.slice(0, MOST_PYTHON_FUNCTIONS))]),
    ...formatStacks(report),
  ];
}

function formatCauses({ causes }: RecordReport): string {
  const names = FAULT_CAUSE_NAMES.filter((name) => causes[name].faults > 0).toSorted(
    (a, b) => causes[b].faults - causes[a].faults,
  );
  const rows = names.map((name) => {
    const { faults, bytes: size, percent } = causes[name];
    return [FAULT_CAUSES[name].title, formatCount(faults), formatMiBNumber(bytes(size)), `${percent.toFixed(1)}%`];
  });
  const meanings = names.map((name) => `  ${FAULT_CAUSES[name].title}: ${FAULT_CAUSES[name].meaning}`);
  return `${plainTable(['cause', 'faults', 'MiB', ''], rows, 1)}\n${pc.dim(meanings.join('\n'))}`;
}

/** A line with a bar for each stretch of time. */
function formatTime({ over_time: { bucket_seconds: width, buckets } }: RecordReport): string {
  const together = Math.max(1, Math.ceil(buckets.length / MOST_LINES_OF_TIME));
  const lines: { faults: number; main: string }[] = [];
  for (let index = 0; index < buckets.length; index += together) {
    const some = buckets.slice(index, index + together);
    const sums = FAULT_CAUSE_NAMES.map((name) => ({
      name,
      faults: some.reduce((sum, bucket) => sum + bucket[name], 0),
    })).toSorted((a, b) => b.faults - a.faults);
    const faults = sums.reduce((sum, each) => sum + each.faults, 0);
    lines.push({ faults, main: faults === 0 ? '' : FAULT_CAUSES[sums[0]?.name ?? 'other'].title });
  }
  const most = Math.max(1, ...lines.map(({ faults }) => faults));
  const rows = lines.map(({ faults, main }, index) => [
    `${(index * together * width).toFixed(1)} s`,
    '█'.repeat(Math.ceil((faults / most) * BAR_WIDTH)),
    main,
    formatCount(faults),
  ]);
  return plainTable(['from', '', 'mostly', 'faults'], rows, 3);
}

function formatProcesses({ processes }: RecordReport): string {
  const rows = processes
    .slice(0, MOST_PROCESSES)
    .map(({ pid, name, faults, bytes: size }) => [
      String(pid),
      name,
      formatCount(faults),
      formatMiBNumber(bytes(size)),
    ]);
  return plainTable(['process', 'name', 'faults', 'MiB'], rows, 2);
}

function formatFunctions(title: string, functions: readonly FunctionShare[]): string {
  const rows = functions.map(({ name, file, cause, faults, percent, language }) => [
    name,
    language === 'python' ? file : file.replace(/^.*\//s, ''),
    FAULT_CAUSES[cause].title,
    formatCount(faults),
    `${percent.toFixed(1)}%`,
  ]);
  return plainTable([title, 'in', 'cause', 'faults', ''], rows, 3);
}

/** Empty if stacks consist only of their innermost functions. */
function formatStacks({ stacks }: RecordReport): string[] {
  const shown = stacks.filter(({ frames }) => frames.length > 1).slice(0, MOST_STACKS);
  if (shown.length === 0) return [];
  const lines = shown.map(({ frames, percent }) => {
    const innermost = frames.slice(-STACK_FRAMES).reverse();
    const more = frames.length > STACK_FRAMES ? ' < …' : '';
    return `${percent.toFixed(1).padStart(5)}%  ${innermost.join(' < ')}${more}`;
  });
  return [[pc.bold('stacks'), ...lines].join('\n')];
}

function formatCounters(groups: readonly CounterGroup[]): string {
  if (groups.every(hasNone)) return NO_COUNTERS;
  const number = (value: number | null, digits: number): string => (value === null ? '-' : value.toFixed(digits));
  const rows = groups.map((group) => [
    group.group,
    number(group.instructions_per_cycle, 2),
    number(group.cache_miss_percent, 2),
    group.instructions === null ? '-' : formatCount(group.instructions),
    group.cache_misses === null ? '-' : formatCount(group.cache_misses),
  ]);
  return plainTable(
    ['counted', 'instructions per cycle', 'last-level cache misses, %', 'instructions', 'misses'],
    rows,
    1,
  );
}
