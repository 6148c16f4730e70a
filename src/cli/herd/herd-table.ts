/** A herd's status as lines for a terminal, for `status` and `demo`. */
import pc from 'picocolors';
import { printable, printableIn } from '../../base/printable.ts';
import {
  bytes,
  formatCount,
  formatDuration,
  formatMiB,
  formatMiBNumber,
  milliseconds,
  seconds,
  secondsToMilliseconds,
} from '../../base/units.ts';
import { plainTable } from '../shared/plain-table.ts';
import { rowsOf, widthOf, wrapped } from '../shared/terminal-lines.ts';
import type { MemoryReport, MoldReport, StatusReport, WorkerReport } from '../../supervisor/control/status.ts';

/** The size of the terminal; without `rows` there is room for all lines. */
export interface Screen {
  readonly columns: number;
  readonly rows?: number;
}

/**
 * The whole output of `cowherd status`, cut to fit the screen if one is given.
 *
 * @param notices lines below it that do not concern this herd
 */
export function formatStatus(raw: StatusReport, screen?: Screen, notices: readonly string[] = []): string {
  const report = printableIn(raw);
  const { herd } = report;
  const where = herd.listeners.length === 0 ? 'not listening yet' : herd.listeners.join(', ');
  const columns = screen?.columns ?? Infinity;
  const fit = (lines: readonly string[]): string[] => lines.flatMap((line) => wrapped(line, columns));
  const top = fit([
    `${pc.bold(herd.app ?? 'no application yet')} at ${where}: ${herd.phase},` +
      ` ${herd.workers_ready} of ${herd.workers_wanted} workers ready,` +
      ` heap policy ${herd.policy ?? 'not chosen yet'}`,
    pc.dim(`${herd.folder === '' ? '' : `folder ${herd.folder}, `}runtime directory ${herd.runtime_directory}`),
    ...formatTroubles(report),
  ]);
  const table = formatWorkers(report, columns).split('\n');
  const bottom = fit([...formatHerdMemory(report), ...notices.map(printable)]);
  const lines = [...top, '', ...table, '', ...bottom];
  // The cursor needs a row below the lines.
  const room = (screen?.rows ?? Infinity) - 1;
  if (rowsOf(lines, columns) <= room) return lines.join('\n');
  return cut(top, table, bottom, { columns, room }).join('\n');
}

/** Lines below the table are shown only if this many of its rows fit, including the headings. */
const TABLE_ROWS_FIRST = 6;

function cut(
  top: readonly string[],
  table: readonly string[],
  bottom: readonly string[],
  { columns, room }: { columns: number; room: number },
): string[] {
  const above = [...top, ''];
  const forTable = room - rowsOf(above, columns);
  const below = forTable - bottom.length - 1 >= Math.min(TABLE_ROWS_FIRST, table.length + 1) ? ['', ...bottom] : [];
  const rows = Math.max(0, forTable - rowsOf(below, columns));
  if (rows >= table.length) return [...above, ...table, ...below].slice(0, room);
  const shown = table.slice(0, Math.max(0, rows - 1));
  const more = pc.dim(`${table.length - Math.max(shown.length, HEAD_LINES)} more: make the window taller`);
  return [...above, ...shown, more, ...below].slice(0, Math.max(1, room));
}

/** Lines about a predecessor, a stopped keeper, waiting connections, a crash loop, and stopped rules. */
function formatTroubles(report: StatusReport): string[] {
  return [...formatPredecessor(report), ...formatKeeper(report), ...formatQueues(report), ...formatStopped(report)];
}

function formatPredecessor({ herd: { predecessor } }: StatusReport): string[] {
  if (predecessor === null || predecessor.phase === 'gone') return [];
  const does =
    predecessor.phase === 'serving'
      ? 'serves until every worker of this one is ready'
      : 'finishes its requests and leaves';
  return [pc.yellow(`The herd of keeper ${predecessor.keeper} (protocol version ${predecessor.protocol}) ${does}`)];
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

/** A column; its unit is below its name. */
interface Column {
  readonly head: string;
  readonly unit?: string;
  readonly mold: (mold: MoldReport) => string;
  readonly worker: (worker: WorkerReport) => string;
}

const HEAD_LINES = 2;
const LEFT_COLUMNS = 3;
/** Blanks between two columns of a table. */
const GAP = 2;
const none = (): string => '';

function memoryColumn(head: keyof MemoryReport, isOfMolds = true): Column {
  const cell = (memory: MemoryReport | null): string => (memory === null ? '-' : formatMiBNumber(bytes(memory[head])));
  return {
    head,
    unit: 'MiB',
    mold: ({ memory }) => (isOfMolds ? cell(memory) : ''),
    worker: ({ memory }) => cell(memory),
  };
}

const COLUMNS: readonly Column[] = [
  { head: 'process', mold: ({ generation }) => `mold ${generation}`, worker: ({ slot }) => `worker ${slot}` },
  { head: 'pid', mold: ({ pid }) => String(pid ?? '-'), worker: ({ pid }) => String(pid) },
  { head: 'state', mold: ({ phase }) => phase, worker: ({ state }) => state },
  { head: 'age', mold: none, worker: (worker) => age(worker.age_seconds) },
  { head: 'requests', mold: none, worker: ({ requests }) => formatCount(requests) },
  { head: 'in flight', mold: none, worker: (worker) => formatCount(worker.in_flight) },
  memoryColumn('rss'),
  memoryColumn('pss'),
  memoryColumn('shared'),
  memoryColumn('private'),
  memoryColumn('unshared', false),
  memoryColumn('fresh', false),
  { head: 'collections', mold: none, worker: collections },
];

/** Columns that a narrow terminal omits, the first one first. The others are always shown. */
const LEFT_OUT = ['collections', 'rss', 'fresh', 'private', 'age', 'shared', 'pss', 'in flight', 'requests', 'pid'];

/** A row for each mold, then one for each worker, with the columns that fit. */
export function formatWorkers({ molds, workers }: StatusReport, columns = Infinity): string {
  let shown = COLUMNS.map((column, index) => {
    const texts = [...molds.map((mold) => column.mold(mold)), ...workers.map((worker) => column.worker(worker))];
    const { head, unit = '' } = column;
    const width = Math.max(...[head, ...texts].map(widthOf));
    return { head, title: `${head}\n${unit}`, isLeft: index < LEFT_COLUMNS, texts, width };
  });
  for (const head of LEFT_OUT) {
    if (shown.reduce((sum, { width }) => sum + width + GAP, -GAP) <= columns) break;
    shown = shown.filter((column) => column.head !== head);
  }
  return plainTable(
    shown.map(({ title }) => title),
    [...molds, ...workers].map((_, row) => shown.map(({ texts }) => texts[row] ?? '')),
    shown.filter(({ isLeft }) => isLeft).length,
  );
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
