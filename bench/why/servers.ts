/** A real server under load, and the answer of `cowherd why` for it. */
import { bytes, inMiB } from '../../src/base/units.ts';
import type { Bench } from '../lib/benchmark.ts';
import { load } from '../lib/load.ts';
import { endAllStarted } from '../lib/processes.ts';
import type { Server } from '../lib/servers.ts';
import { Serving } from '../lib/serving.ts';
import { askWhy } from './command.ts';

export interface LoadShape {
  readonly workers: number;
  readonly connections: number;
  readonly seconds: number;
}

/** The answer for the median worker. */
export async function whyOfServer(
  server: Server,
  shape: LoadShape,
  { scratch, feedEnvironment: environment }: Pick<Bench, 'scratch' | 'feedEnvironment'>,
) {
  const serving = await Serving.start({ server, app: 'feed', workers: shape.workers, environment, scratch });
  await load({ port: serving.port, path: '/', connections: shape.connections, seconds: shape.seconds }, scratch);
  const target = server.kind === 'cowherd' ? ['--runtime-dir', serving.runtimeDirectory] : [String(serving.root)];
  const { report, seconds } = askWhy(target);
  endAllStarted();
  const worker = report.workers.find(({ pid }) => pid === report.median_pid);
  if (worker === undefined) throw new Error(`no worker of ${serving.name} was looked at`);
  const { causes } = worker;
  return {
    seconds,
    sharedAtForkMib: inMiB(bytes(worker.shared_at_fork)),
    unsharedMib: inMiB(bytes(worker.unshared)),
    collectorPercent: causes.identical.percent + causes['gc-header'].percent,
    promisedMib: inMiB(bytes(report.advice.find(({ remedy }) => remedy === 'policy')?.bytes_won_per_worker ?? 0)),
    causes,
    owners: worker.owners.slice(0, 12),
  };
}
