/** The output of `cowherd why` as lines for a terminal. */
import pc from 'picocolors';
import { printableIn } from '../../base/printable.ts';
import { bytes, formatCount, formatMiB, formatMiBNumber } from '../../base/units.ts';
import type { Change } from '../../forensics/answer/change.ts';
import { type Cause, CAUSE_NAMES, CAUSES } from '../../forensics/pages/causes.ts';
import { ownerName, type WhyReport, type WorkerWhy } from '../../forensics/answer/report.ts';
import { plainTable } from '../shared/plain-table.ts';

const MOST_OWNERS = 12;
const MOST_MODULES = 8;
const MOST_MAPPINGS = 6;

export function formatWhy(raw: WhyReport, all = false, rawChange: Change | null = null): string {
  const [report, change] = [printableIn(raw), printableIn(rawChange)];
  const middle = report.workers.find(({ pid }) => pid === report.median_pid);
  const shown = all ? report.workers : middle === undefined ? [] : [middle];
  const sections = [
    formatFamily(report),
    ...(report.workers.length > 1 ? [formatWorkers(report)] : []),
    ...shown.flatMap((worker) => formatWorker(worker, report)),
    ...(change === null ? [] : [formatChange(change)]),
    formatAdvice(report),
  ];
  return `${sections.join('\n\n')}\n`;
}

function formatWorker(worker: WorkerWhy, { workers, reference }: WhyReport): string[] {
  return [
    formatSharing(worker, workers.length > 1),
    ...formatCauses(worker),
    ...(reference.has_census ? formatModules(worker) : []),
    ...formatOwners(worker),
    ...formatMappings(worker),
  ];
}

function formatFamily({ reference, workers, seconds }: WhyReport): string {
  const what = reference.is_sibling ? 'Another worker' : reference.policy === null ? 'Parent' : 'Mold';
  const interpreter = reference.interpreter === null ? '' : `, ${reference.interpreter}`;
  const policy = reference.policy === null ? '' : `, heap policy ${reference.policy}`;
  const lines = [
    `${what} ${reference.pid} (${reference.name})${interpreter}${policy}; ${workers.length} ${workers.length === 1 ? 'worker' : 'workers'} compared with it in ${seconds.toFixed(1)} s`,
  ];
  if (reference.census_problem !== null) {
    lines.push(pc.yellow(`Owners are told by their types alone, without a census: ${reference.census_problem}`));
  }
  if (reference.left_out > 0) {
    lines.push(pc.yellow(`Mappings of ${formatMiB(bytes(reference.left_out))} are too large to be looked at`));
  }
  if (reference.problem !== null) {
    lines.push(pc.yellow(`Causes are told by the bytes alone: ${reference.problem}`));
  }
  return lines.join('\n');
}

function formatWorkers({ workers, median_pid: median }: WhyReport): string {
  const mib = (value: number): string => formatMiBNumber(bytes(value));
  return plainTable(
    ['worker', 'shared at fork', 'still shared', 'unshared', 'identical', 'fresh', ''],
    workers.map((worker) => [
      String(worker.pid),
      mib(worker.shared_at_fork),
      mib(worker.shared),
      mib(worker.unshared),
      mib(worker.causes.identical.bytes),
      mib(worker.fresh),
      worker.pid === median ? 'in the middle' : '',
    ]),
    1,
  );
}

function formatSharing(worker: WorkerWhy, named: boolean): string {
  const part = (value: number, of: number): string => (of === 0 ? '0%' : `${((100 * value) / of).toFixed(0)}%`);
  const whose = named ? `Worker ${worker.pid}: of` : 'Of';
  const { identical } = worker.causes;
  return (
    `${whose} ${formatMiB(bytes(worker.shared_at_fork))} shared at the fork` +
    ` ${pc.bold(`${formatMiB(bytes(worker.shared))} (${part(worker.shared, worker.shared_at_fork)})`)} still are;` +
    ` ${pc.bold(formatMiB(bytes(worker.unshared)))} were copied since,` +
    ` of which ${formatMiB(bytes(identical.bytes))} (${part(identical.bytes, worker.unshared)}) are byte for byte what they were.` +
    formatFresh(worker)
  );
}

/** Empty if fresh pages were not compared with another worker's. */
function formatFresh({ fresh, fresh_alike_percent: alike }: WorkerWhy): string {
  if (alike === null || fresh === 0) return '';
  return ` It has made ${formatMiB(bytes(fresh))} itself since, about ${alike.toFixed(0)}% of that as another worker has.`;
}

function formatCauses(worker: WorkerWhy): string[] {
  const rows = CAUSE_NAMES.filter((cause) => worker.causes[cause].pages > 0)
    .toSorted((a, b) => worker.causes[b].pages - worker.causes[a].pages)
    .map((cause) => {
      const { pages, bytes: size, percent } = worker.causes[cause];
      return [cause, CAUSES[cause].meaning, formatCount(pages), formatMiBNumber(bytes(size)), `${percent.toFixed(1)}%`];
    });
  if (rows.length === 0) return [];
  const table = plainTable(
    ['cause', 'pages', 'MiB', ''],
    rows.map(([cause = '', , ...numbers]) => [cause, ...numbers]),
    1,
  );
  const meanings = rows.map(([cause, meaning]) => `  ${cause}: ${meaning}`);
  return [table, pc.dim(meanings.join('\n'))];
}

function formatModules({ modules, unshared }: WorkerWhy): string[] {
  const shown = modules.filter(({ module, bytes: size }) => module !== null && size > 0).slice(0, MOST_MODULES);
  if (shown.length === 0 || unshared === 0) return [];
  const rows = shown.map(({ module, causes, bytes: size, percent }) => [
    module ?? '',
    mostly(causes),
    formatMiBNumber(bytes(size)),
    `${percent.toFixed(1)}%`,
  ]);
  return [plainTable(['module that holds it', 'mostly', 'MiB', ''], rows, 2)];
}

function mostly(causes: Partial<Record<Cause, number>>): string {
  return Object.entries(causes).toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? '';
}

function formatOwners({ owners, unshared }: WorkerWhy): string[] {
  const shown = owners.filter((owner) => owner.bytes > 0).slice(0, MOST_OWNERS);
  if (shown.length === 0 || unshared === 0) return [];
  const rows = shown.map((owner) => [
    ownerName(owner.module, owner.type),
    mostly(owner.causes),
    formatMiBNumber(bytes(owner.bytes)),
    `${owner.percent.toFixed(1)}%`,
    formatMiBNumber(bytes(owner.bystander_bytes)),
  ]);
  return [plainTable(['whose', 'mostly', 'MiB', '', 'not written, beside'], rows, 2)];
}

function formatMappings({ mappings }: WorkerWhy): string[] {
  if (mappings.length <= 1) return [];
  const rows = mappings
    .slice(0, MOST_MAPPINGS)
    .map((mapping) => [
      mapping.name,
      formatMiBNumber(bytes(mapping.unshared_bytes)),
      formatMiBNumber(bytes(mapping.shared_bytes)),
    ]);
  return [plainTable(['memory', 'unshared', 'still shared'], rows, 1)];
}

function formatChange(change: Change): string {
  const lines = change.workers.map(({ pid, lost, regained, turned }) => {
    const list = (counts: Readonly<Record<string, number>>): string =>
      Object.entries(counts)
        .toSorted((a, b) => b[1] - a[1])
        .map(([name, pages]) => `${formatMiB(bytes(pages * change.page_bytes))} ${name}`)
        .join(', ') || 'nothing';
    const again = Object.keys(regained).length === 0 ? '' : `; shared again: ${list(regained)}`;
    const written = Object.keys(turned).length === 0 ? '' : `; written in another way: ${list(turned)}`;
    return `  worker ${pid}: lost ${list(lost)}${again}${written}`;
  });
  const others = [
    ...change.new_workers.map((pid) => `  worker ${pid}: not there at the first look`),
    ...change.gone_workers.map((pid) => `  worker ${pid}: not there any more`),
  ];
  return [pc.bold(`Since ${change.since}`), ...lines, ...others].join('\n');
}

function formatAdvice({ advice, workers }: WhyReport): string {
  if (advice.length === 0) return 'Nothing here is worth a change.';
  const lines = advice.map(({ text, bytes_won_per_worker, bytes_won_in_all }, index) => {
    const all = workers.length > 1 ? `, ${formatMiB(bytes(bytes_won_in_all))} in all` : '';
    return `${index + 1}. ${text} About ${pc.green(`${formatMiB(bytes(bytes_won_per_worker))} a worker${all}`)}.`;
  });
  return `${pc.bold('What to do')}\n${lines.join('\n')}`;
}
