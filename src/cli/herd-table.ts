/** A herd's status as lines for a terminal: the table of `status` and `demo`. */
import Table from 'cli-table3';
import pc from 'picocolors';
import { printable, printableIn } from '../base/printable.ts';
import {
  bytes,
  formatCount,
  formatDuration,
  formatMiB,
  formatMiBNumber,
  milliseconds,
  seconds,
  secondsToMilliseconds,
} from '../base/units.ts';
import type { MemoryReport, StatusReport, WorkerReport } from '../supervisor/status.ts';

const PLAIN_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** What stands in a table: a text from anywhere, with a colour of ours if need be. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

/** Columns of text, the first ones left-aligned and the others right-aligned. */
export function plainTable(head: string[], rows: readonly Cell[][], leftColumns: number): string {
  const table = new Table({
    head: head.map((cell) => pc.bold(cell)),
    colAligns: head.map((_, index) => (index < leftColumns ? 'left' : 'right')),
    chars: PLAIN_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => row.map(shown)));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** The whole screen of `cowherd status`. */
export function formatStatus(raw: StatusReport): string {
  const report = printableIn(raw);
  const { herd } = report;
  const where = herd.listeners.length === 0 ? 'not listening yet' : herd.listeners.join(', ');
  const lines = [
    `${pc.bold(herd.app ?? 'no application yet')} at ${where}: ${herd.phase},` +
      ` ${herd.workers_ready} of ${herd.workers_wanted} workers ready,` +
      ` heap policy ${herd.policy ?? 'not chosen yet'}`,
    ...formatTroubles(report),
    '',
    formatWorkers(report),
    '',
    ...formatHerdMemory(report),
  ];
  return lines.join('\n');
}

function shown(cell: Cell): string {
  return typeof cell === 'string' ? printable(cell) : cell.paint(printable(cell.text));
}

/** A keeper that stands still, connections that wait, a crash loop, and rules that are stopped. */
function formatTroubles(report: StatusReport): string[] {
  return [...formatKeeper(report), ...formatQueues(report), ...formatStopped(report)];
}

function formatKeeper({ herd: { keeper } }: StatusReport): string[] {
  if (keeper.silent_seconds === null) return [];
  const time = formatDuration(secondsToMilliseconds(seconds(keeper.silent_seconds)));
  return [pc.red(`The keeper (pid ${keeper.pid}) has not answered for ${time}: no worker that ends is replaced`)];
}

function formatQueues({ herd }: StatusReport): string[] {
  return herd.listen_queues
    .filter(({ waiting }) => waiting > 0)
    .map(({ listener, waiting, most }) =>
      pc.yellow(`${formatCount(waiting)} connections wait for a worker at ${listener}; up to ${formatCount(most)} may`),
    );
}

function formatStopped({ herd }: StatusReport): string[] {
  const { crash_loop: loop } = herd;
  const stopped = herd.recycling.stopped.map(({ rule, because }) =>
    pc.red(`Recycling (${rule}) is stopped: ${because}`),
  );
  if (herd.heal.on && herd.heal.stopped !== null) stopped.push(pc.yellow(`Nothing is healed: ${herd.heal.stopped}`));
  if (loop === null) return stopped;
  const next = formatDuration(secondsToMilliseconds(seconds(loop.next_fork_in_seconds)));
  return [pc.red(`Crash loop: ${loop.deaths} deaths, next fork in ${next}; the last ${loop.last_error}`), ...stopped];
}

/** One row a worker, after one for each mold. Memory in MiB. */
export function formatWorkers(report: StatusReport): string {
  const head = [
    'process',
    'pid',
    'state',
    'age',
    'requests',
    'in flight',
    'rss',
    'pss',
    'shared',
    'private',
    'unshared',
    'fresh',
    'collections',
  ];
  const molds = report.molds.map((mold) => [
    `mold ${mold.generation}`,
    String(mold.pid ?? '-'),
    mold.phase,
    '',
    '',
    '',
    ...memoryCells(mold.memory).slice(0, 4),
    '',
    '',
    '',
  ]);
  const workers = report.workers.map((worker) => [
    `worker ${worker.slot}`,
    String(worker.pid),
    worker.state,
    age(worker.age_seconds),
    formatCount(worker.requests),
    formatCount(worker.in_flight),
    ...memoryCells(worker.memory),
    collections(worker),
  ]);
  return plainTable(head, [...molds, ...workers], 3);
}

function formatHerdMemory(report: StatusReport): string[] {
  const { herd } = report;
  const { memory, host } = herd;
  const lines = [
    `Herd: ${formatMiB(bytes(memory.pss))} PSS; ` +
      `saved against workers that share nothing: ` +
      pc.green(formatMiB(bytes(memory.saved_against_sharing_nothing))),
  ];
  const missing = report.workers.length - memory.workers_sampled;
  if (missing > 0) {
    lines.push(
      pc.dim(
        `${missing} worker(s) not looked at yet: samples are spread out to cost at most` +
          ` ${herd.sampling.budget_percent}% of a core`,
      ),
    );
  }
  lines.push(
    `Host: ${formatMiB(bytes(host.memory_available))} available,` +
      ` ${formatMiB(bytes(host.memory_free))} free,` +
      ` ${formatMiB(bytes(host.page_cache))} page cache;` +
      ` supervisor ${formatMiB(bytes(herd.supervisor.rss))}` +
      (herd.keeper.rss === null ? '' : `, keeper ${formatMiB(bytes(herd.keeper.rss))}`),
  );
  return lines;
}

function memoryCells(memory: MemoryReport | null): string[] {
  if (memory === null) return ['-', '-', '-', '-', '-', '-'];
  return [memory.rss, memory.pss, memory.shared, memory.private, memory.unshared, memory.fresh].map((value) =>
    formatMiBNumber(bytes(value)),
  );
}

function collections(worker: WorkerReport): string {
  const { outside_requests, inside_requests } = worker.collections;
  return inside_requests === 0
    ? formatCount(outside_requests)
    : `${formatCount(outside_requests)} + ${formatCount(inside_requests)} in requests`;
}

function age(value: number): string {
  const rounded = value < 10 ? value : Math.round(value);
  return formatDuration(milliseconds(secondsToMilliseconds(seconds(rounded))));
}
