/**
 * `make test-packages`: packages that web applications import, served by gunicorn and by Cowherd, and compared.
 *
 * PACKAGES="numpy lxml" and PYTHONS="3.13" run a part, AGAIN=1 also runs tasks that have a result of the same sources,
 * SECONDS=600 starts nothing after that time, SIDE_BY_SIDE=1 runs one package at a time, REPORT=1 runs none. A run
 * continues where the last one ended: results are in .cache/packages/results.
 *
 * Writes docs/compatibility.md. The last line is one JSON object over all existing results. Exit status 1 if there is a
 * difference, or a package that is not served.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { endStartedAtEnd } from '../../bench/lib/at-end.ts';
import { Environments } from './environments.ts';
import { commitOfCowherd, fingerprintOf } from './fingerprint.ts';
import { findInterpreters, type Interpreter, MINORS } from './interpreters.ts';
import { FOLDER, readList, type Package } from './list.ts';
import type { Observation } from './observation.ts';
import { type Both, observe } from './observe.ts';
import { TABLE } from './places.ts';
import { chosen, type Known, type Task, toRun, wishesOf } from './plan.ts';
import { readResult, writeResult } from './results.ts';
import { beside, missing, Services } from './services.ts';
import { summarize } from './summary.ts';
import { page, type Row } from './table.ts';
import { judge } from './verdict.ts';

const say = (text: string): void => console.log(text);
const list = readList();
const interpreters = findInterpreters();
const wishes = wishesOf(process.env);
const scratch = mkdtempSync(path.join(tmpdir(), 'cowherd-packages-'));
// Services run as other users, and must be able to reach their folders in it.
chmodSync(scratch, 0o711);

endStartedAtEnd(() => rmSync(scratch, { recursive: true, force: true }));

async function run(tasks: readonly Task[]): Promise<void> {
  const environments = new Environments();
  const folder = path.join(scratch, 'services');
  mkdirSync(folder);
  const services = new Services(folder);
  const deadline = performance.now() + Number(process.env['SECONDS'] ?? Infinity) * 1000;
  const queue = [...tasks];
  let number = 0;
  const runner = async (): Promise<void> => {
    for (let task = queue.shift(); task !== undefined && performance.now() < deadline; task = queue.shift()) {
      const started = performance.now();
      number += 1;
      const name = `${number}/${tasks.length} ${task.package.name} on ${task.python}`;
      try {
        const observation = await runTask(task, environments, services);
        writeResult(task, observation);
        say(`${name}: ${verdictLine(observation, task.package)} (${seconds(performance.now() - started)})`);
      } catch (error) {
        say(`${name}: NOT RUN: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };
  const sideBySide = Number(process.env['SIDE_BY_SIDE'] ?? Math.min(2, availableParallelism()));
  await Promise.all(Array.from({ length: sideBySide }, runner));
  await services.stop();
}

async function runTask(task: Task, environments: Environments, services: Services): Promise<Observation> {
  const { package: package_, python } = task;
  const interpreter = interpreterOf(python);
  const fingerprint = fingerprintOf(package_);
  const environment = await environments.make(package_, interpreter);
  const place = mkdtempSync(path.join(scratch, 'p'));
  try {
    const versions = await environments.versions(environment);
    const version = (name: string): string => versions.get(name.toLowerCase().replaceAll(/[-_.]+/g, '-')) ?? '';
    const variables = await services.environmentFor(package_.services);
    const observeWith = (more: Readonly<Record<string, string>>): Promise<Both> =>
      observe({ package: package_, environment, scratch: place, variables: { ...variables, ...more } });
    const { companion } = package_;
    const both =
      companion === undefined
        ? await observeWith({})
        : await beside(
            [path.join(environment, 'bin', 'python'), path.join(FOLDER, 'companions', companion)],
            place,
            (port) => observeWith({ COWHERD_COMPANION_PORT: String(port) }),
          );
    return {
      package: package_.name,
      python,
      pythonVersion: interpreter.version,
      fingerprint,
      commit: commitOfCowherd(),
      at: new Date().toISOString(),
      version: version(package_.name.replace(/\[.*/, '')),
      gunicornVersion: version('gunicorn'),
      ...both,
    };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function knownOf(task: Task): Known {
  const observation = readResult(task);
  if (observation === null) return { result: 'none', isPresent: false };
  const { differences, fault } = judge(observation, task.package);
  return {
    result: differences.length > 0 || fault !== null ? 'differs' : 'good',
    isPresent: observation.fingerprint === fingerprintOf(task.package),
  };
}

function interpreterOf(python: string): Interpreter {
  const found = interpreters.find((each) => each.minor === python);
  if (found === undefined) throw new Error(`no CPython ${python}`);
  return found;
}

function verdictLine(observation: Observation, package_: Package): string {
  const { differences, named, fault } = judge(observation, package_);
  if (fault !== null) return `FAULT ${fault.slice(0, 3000)}`;
  const policy = observation.cowherd?.started === true ? observation.cowherd.policy : 'not started';
  const lines = differences.map(({ kind, what }) => `\n    ${kind}: ${what.slice(0, 1500)}`);
  const exceptions = named.length > 0 ? `, ${named.length} named exceptions` : '';
  return `${observation.version}, ${policy}${exceptions}${lines.length === 0 ? ', no difference' : lines.join('')}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/**
 * Reports all results, of this run and of earlier ones, and what is missing. A result of older sources that differed is
 * left out, since it says nothing about the current ones. A good one stays until it is made again.
 */
function report(): number {
  const rows: Row[] = [];
  const judged = [];
  let stale = 0;
  const outdated: string[] = [];
  for (const package_ of list) {
    const cells: Record<string, Row['cells'][string]> = {};
    for (const python of MINORS) {
      if (package_.not_for[python] !== undefined) continue;
      const task = { package: package_, python };
      const observation = readResult(task);
      if (observation === null) continue;
      const { result, isPresent } = knownOf(task);
      if (!isPresent && result === 'differs') {
        outdated.push(`${package_.name} on ${python}`);
        continue;
      }
      if (!isPresent) stale += 1;
      const verdict = judge(observation, package_);
      cells[python] = { observation, verdict };
      judged.push({ task, verdict });
    }
    rows.push({ package: package_, cells });
  }
  const summary = summarize(judged);
  writeFileSync(TABLE, page(rows, MINORS, summary));
  for (const { task, verdict } of judged) {
    const texts = [verdict.fault ?? [], verdict.differences.map(({ kind, what }) => `${kind}: ${what}`)].flat();
    for (const text of texts) say(`${task.package.name} on ${task.python}: ${text.trim().split('\n').at(-1)}`);
  }
  const lacking = rows.filter(({ cells }) => Object.keys(cells).length === 0).map((row) => row.package.name);
  if (lacking.length > 0) say(`No result for: ${lacking.join(', ')}`);
  if (outdated.length > 0) say(`Left out because they differed with older sources: ${outdated.join(', ')}`);
  if (stale > 0) say(`${stale} results are from older sources; \`make test-packages\` renews them.`);
  say(JSON.stringify(summary));
  return summary.differences === 0 && summary.served === summary.packages && outdated.length === 0 ? 0 : 1;
}

say(`Interpreters: ${interpreters.map(({ version, path: place }) => `${version} (${place})`).join(', ')}`);
for (const minor of MINORS) {
  if (!interpreters.some((each) => each.minor === minor)) say(`No CPython ${minor} was found; it is left out.`);
}
const wanted = chosen(
  list,
  interpreters.map((each) => each.minor),
  wishes,
);
const possible = wanted.filter(({ package: { name, services }, python }) => {
  const lines = services.flatMap((service) => missing(service) ?? []);
  for (const { service, install } of lines) say(`${name} on ${python} not run: no ${service} (${install})`);
  return lines.length === 0;
});
const tasks = toRun(possible, knownOf, wishes.again);
say(`Running ${tasks.length} of ${wanted.length} pairs of package and interpreter`);
if (process.env['REPORT'] !== '1' && tasks.length > 0) await run(tasks);
process.exit(report());
