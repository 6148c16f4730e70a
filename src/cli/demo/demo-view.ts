/** The demo's result, as data and as text. */
import pc from 'picocolors';
import { bytes, formatCount, formatMiB } from '../../base/units.ts';
import type { StatusReport } from '../../supervisor/control/status.ts';
import type { LoadFigures } from './demo-load.ts';
import { formatWorkers } from '../herd/herd-table.ts';
import { plainTable } from '../shared/plain-table.ts';

export interface DemoArm {
  policy: string;
  status: StatusReport;
  load: LoadFigures;
}

export interface DemoResult {
  arms: DemoArm[];
  /** Savings of the herd with policy `auto`, in bytes of PSS. Against stock null until every worker was sampled. */
  saved_against_sharing_nothing: number;
  saved_against_stock: number | null;
}

/** Pure. `reports` and `loads` are in the same order, with the herd of policy auto first. */
export function demoResult(reports: StatusReport[], loads: LoadFigures[]): DemoResult {
  const arms = reports.flatMap((status, index) => {
    const load = loads[index];
    return load === undefined ? [] : [{ policy: status.herd.policy ?? '?', status, load }];
  });
  const [shown, stock] = arms;
  const complete = arms.every((arm) => arm.status.herd.memory.workers_sampled === arm.status.herd.workers_wanted);
  return {
    arms,
    saved_against_sharing_nothing: shown?.status.herd.memory.saved_against_sharing_nothing ?? 0,
    saved_against_stock:
      shown === undefined || stock === undefined || !complete
        ? null
        : stock.status.herd.memory.pss - shown.status.herd.memory.pss,
  };
}

export function formatDemo(result: DemoResult): string {
  const [shown] = result.arms;
  if (shown === undefined) return '';
  const comparison = plainTable(
    ['herd', 'requests', 'per second', 'p50 ms', 'p99 ms', 'worst ms', 'unshared MiB', 'PSS MiB'],
    result.arms.map(({ policy, status, load }) => [
      policy,
      formatCount(load.requests),
      load.requestsPerSecond.toFixed(1),
      load.latencyMs.p50.toFixed(0),
      load.latencyMs.p99.toFixed(0),
      load.latencyMs.worst.toFixed(0),
      (status.herd.memory.unshared / 2 ** 20).toFixed(0),
      (status.herd.memory.pss / 2 ** 20).toFixed(0),
    ]),
    1,
  );
  const errors = result.arms.reduce((sum, arm) => sum + arm.load.errors, 0);
  const againstStock =
    result.saved_against_stock === null ? 'not measured yet' : formatMiB(bytes(result.saved_against_stock));
  return [
    pc.bold(`Herd with heap policy ${shown.policy}`),
    formatWorkers(shown.status),
    '',
    pc.bold('Side by side, same machine, same load'),
    comparison,
    '',
    `Saved against workers that share nothing: ${pc.green(formatMiB(bytes(result.saved_against_sharing_nothing)))}`,
    `Saved against stock:                      ${pc.green(againstStock)}`,
    ...(errors > 0 ? [pc.red(`${errors} requests failed`)] : []),
  ].join('\n');
}
