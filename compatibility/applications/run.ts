/**
 * `make test-apps`: real applications, served by gunicorn and by Cowherd, compared answer by answer; then Cowherd under
 * load.
 *
 * Applications run one after the other. Results are kept, and made again when Cowherd's code, this program or the
 * application's files have changed. The last line is one JSON object, the sum over all applications.
 *
 * Environment: APPS="datasette mlflow" runs only these, in this order, even if they have a result; FRESH=1 runs all.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { endStartedAtEnd } from '../../bench/lib/at-end.ts';
import type { Application } from './lib/description.ts';
import { codeOf } from './lib/code.ts';
import { type Environment, install } from './lib/installing.ts';
import { pageOf } from './lib/page.ts';
import { APPLICATIONS, CACHE, logsOf, PAGE, resultOf } from './lib/places.ts';
import { Postgresql } from './lib/postgresql.ts';
import { type ApplicationResult, isGood, sumOf } from './lib/result.ts';
import { PreparedSite } from './lib/site.ts';
import { tryApplication } from './lib/trial.ts';

async function main(): Promise<number> {
  endStartedAtEnd();

  const applications = await readApplications();
  const asked = (process.env['APPS'] ?? '').split(/[\s,]+/).filter((name) => name !== '');
  const unknown = asked.filter((name) => !applications.some((application) => application.name === name));
  if (unknown.length > 0)
    throw new Error(
      `APPS: no application ${unknown.join(', ')}; there are ${applications.map(({ name }) => name).join(' ')}`,
    );
  const named = asked.flatMap((name) => applications.find((application) => application.name === name) ?? []);
  const wanted = named.length > 0 ? named : applications.filter(({ name }) => isToBeTried(name));

  for (const folder of ['results', 'logs/services']) mkdirSync(path.join(CACHE, folder), { recursive: true });
  const postgresql = wanted.some(({ services }) => services.includes('postgresql')) ? await Postgresql.start() : null;
  for (const application of wanted) {
    console.log(`== ${application.title}`);
    const result = await trialOf(application, postgresql);
    if (result.problem !== null) console.log(`  ${result.problem}`);
    writeFileSync(resultOf(application.name), `${JSON.stringify(result, null, 2)}\n`);
  }
  await postgresql?.stop();

  const results = applications.map(({ name }) => readResult(name));
  writeFileSync(PAGE, pageOf(results.filter((result) => result !== null)));
  show(results.filter((result) => wanted.some(({ name }) => name === result?.name)));
  const sum = sumOf(results);
  console.log(JSON.stringify(sum));
  return isGood(sum) ? 0 : 1;
}

async function trialOf(application: Application, postgresql: Postgresql | null): Promise<ApplicationResult> {
  const { name, title, services, serverArguments, workers } = application;
  let environment: Environment | null = null;
  const result = (problem: string | null, trial: ApplicationResult['trial']): ApplicationResult => ({
    name,
    title,
    services,
    serverArguments,
    workers,
    problem,
    trial,
    version: environment?.versions.get(distributionOf(application)) ?? 'not installed',
    python: environment?.pythonVersion ?? application.python,
    gunicorn: environment?.versions.get('gunicorn') ?? 'not installed',
    code: codeOf(name),
  });
  try {
    mkdirSync(logsOf(name), { recursive: true });
    environment = await install(application);
    const database = services.includes('postgresql') ? postgresql : null;
    const prepared = await PreparedSite.of(application, environment, database);
    return result(null, await tryApplication(application, prepared, (text) => console.log(text)));
  } catch (error) {
    return result(error instanceof Error ? error.message : String(error), null);
  }
}

/** The distribution's name: the first requirement without version and extras. */
function distributionOf({ requirements: [first = ''] }: Application): string {
  return (/^[\w.-]+/.exec(first)?.[0] ?? first).replaceAll(/[-_.]+/g, '-').toLowerCase();
}

async function readApplications(): Promise<Application[]> {
  const names = readdirSync(APPLICATIONS).filter((name) => existsSync(path.join(APPLICATIONS, name, 'application.ts')));
  return await Promise.all(
    names.toSorted().map(async (name) => {
      const file = (await import(path.join(APPLICATIONS, name, 'application.ts'))) as { application: Application };
      return file.application;
    }),
  );
}

function readResult(name: string): ApplicationResult | null {
  const file = resultOf(name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ApplicationResult) : null;
}

function isToBeTried(name: string): boolean {
  return process.env['FRESH'] === '1' || readResult(name)?.code !== codeOf(name);
}

const brief = (text: string): string => text.slice(0, 300);

function show(results: readonly (ApplicationResult | null)[]): void {
  for (const result of results) {
    if (result === null) continue;
    if (result.trial === null) {
      console.log(`${result.name}: not served`);
      continue;
    }
    const { answers, load, reload, refork, stop, warnings } = result.trial;
    for (const { request, where } of answers.different)
      console.log(`${result.name}: different: ${request}: ${where[0]}`);
    for (const each of load.lost) console.log(`${result.name}: lost: ${each}`);
    for (const [what, told] of Object.entries({ reload, refork, stop })) {
      if (!told.ok) console.log(`${result.name}: ${what} failed: ${brief(told.failure ?? '')}`);
    }
    for (const { level, text, times } of warnings)
      console.log(`${result.name}: ${level}, ${times} times: ${brief(text)}`);
  }
}

// The exit handler ends anything that is still running.
process.exit(await main());
