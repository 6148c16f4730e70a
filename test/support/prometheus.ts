/** A real Prometheus that scrapes a herd. */
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort } from '../../bench/lib/free-port.ts';
import { temporaryFolder } from './cowherd.ts';
import { where } from './needs.ts';

/** For `needs`. Debian's package `prometheus` has promtool too. */
export const PROMETHEUS_NEEDED = where(spawnSync('prometheus', ['--version']).status === 0, 'needs Prometheus');

export interface Prometheus {
  /** The series that a query selects, with their labels as JSON. Throws what Prometheus says against the query. */
  readonly ask: (query: string) => Promise<[labels: string, value: number][]>;
  /** A reply of its HTTP interface, under `/api/v1/`. */
  readonly get: (path: string) => Promise<unknown>;
  readonly stop: () => void;
}

/** Starts one that scrapes a port five times a second, as the job `herd`. */
export async function startPrometheus(port: number, ruleFiles: readonly string[] = []): Promise<Prometheus> {
  const folder = temporaryFolder();
  const own = await freePort();
  const config = path.join(folder, 'prometheus.yml');
  const rules = `global:\n  evaluation_interval: 1s\nrule_files: ${JSON.stringify(ruleFiles)}\n`;
  const job = `  - job_name: herd\n    scrape_interval: 200ms\n    scrape_timeout: 200ms\n    static_configs:\n      - targets: ["127.0.0.1:${port}"]\n`;
  writeFileSync(config, `${rules}scrape_configs:\n${job}`);
  const args = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=127.0.0.1:${own}`,
  ];
  const child = spawn('prometheus', args, { stdio: 'ignore' });
  const get = async (address: string): Promise<unknown> => {
    const answer = (await (await fetch(`http://127.0.0.1:${own}/api/v1/${address}`)).json()) as {
      data?: unknown;
      error?: string;
    };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.data;
  };
  return {
    get,
    ask: async (query) => {
      const data = (await get(`query?query=${encodeURIComponent(query)}`)) as {
        result: { metric: Record<string, string>; value: [number, string] }[];
      };
      return data.result.map(({ metric, value }) => [JSON.stringify(metric), Number(value[1])]);
    },
    stop: () => void child.kill('SIGKILL'),
  };
}
