/** Makes docs/applications.md from the results. Pure. */
import { type ApplicationResult, comparedIn, type Trial } from './result.ts';

export function pageOf(results: readonly ApplicationResult[]): string {
  const whole = results.filter((result): result is ApplicationResult & { trial: Trial } => result.trial !== null);
  return [
    '# Real applications',
    '',
    'Made by `make test-apps`; do not edit.',
    '',
    HOW,
    '',
    '## Answers',
    '',
    '| application | version | CPython | with | worker class, workers | requests | identical | masked | unsteady | different |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...results.map(answersRow),
    '',
    '## Under load',
    '',
    '| application | requests | reload | refork | stop | refused after the stop | lost |',
    '|---|---|---|---|---|---|---|',
    ...whole.map(loadRow),
    '',
    '## Memory',
    '',
    'Proportional memory (PSS) of all processes of a server, in MiB: after the visit, so after the same requests; and some',
    "seconds after the refork. Nothing was chosen for Cowherd's sake, and no site has much content.",
    '',
    '| application | gunicorn `--preload` | Cowherd | Cowherd after the refork |',
    '|---|---|---|---|',
    ...whole.map(memoryRow),
    '',
    '## What was not the same, and what was not asked for',
    '',
    ...results.flatMap(remarks),
    '',
  ].join('\n');
}

const HOW = `Each application is installed from the package index, unmodified, and filled with a site by its own means. gunicorn
(\`--preload\`) serves the site twice and Cowherd once, with the same arguments and with default settings; each starts from the
same copy of files and database, with one seed of Python's hashes, so that sets have one order. A visitor logs in, follows
links until there are enough addresses, sends what has consequences, and looks at all of it again: at Cowherd's when it has
reloaded and reforked. Each answer is compared: status, every header but \`Date\` and \`Connection\`, and the body.

- *identical*: byte for byte.
- *masked*: the same when tokens, UUIDs, times and durations are masked. The rules are general; none is of one application.
- *unsteady*: two runs of gunicorn differ in it too; in all lines that those agree in, Cowherd's answer is the same.
- *different*: anything else.

Then Cowherd gets requests at a steady pace, logged in, and is told to reload, to refork and to stop. Each request is counted.
*Refused* after the stop is one whose connection nobody has accepted; *lost* is every other one without the whole answer
that it should have.

\`make test-apps\` repeats all of it; \`APPS="datasette mlflow" make test-apps\` a part. Needs: the CPython versions below,
and from Debian \`postgresql\` and \`redis-server\`, of which the run starts its own on free ports. Environments, filled sites
and results are kept in \`.cache/applications\`; a result is made anew when the code has changed. CKAN is not among the
applications: it needs a Solr server, and Debian has none.`;

function answersRow({
  title,
  version,
  python,
  services,
  serverArguments,
  workers,
  trial,
  problem,
}: ApplicationResult): string {
  const how = `${workerClass(serverArguments)}, ${workers}`;
  const head = [title, version, python, services.join(', ') || '–', how];
  if (trial === null) return row([...head, `not served: ${firstLine(problem ?? '')}`, '', '', '', '']);
  const { answers } = trial;
  const requests = `${comparedIn(trial)} (${answers.posts} not GET)`;
  return row([...head, requests, answers.identical, answers.masked, answers.unsteady.length, answers.different.length]);
}

function loadRow({ title, trial }: ApplicationResult & { trial: Trial }): string {
  const { load, reload, refork, stop } = trial;
  const done = (told: typeof reload): string => (told.ok ? `${told.seconds.toFixed(1)} s` : 'refused');
  return row([title, load.sent, done(reload), done(refork), done(stop), load.refusedAfterStop, load.lost.length]);
}

function memoryRow({ title, trial }: ApplicationResult & { trial: Trial }): string {
  const { gunicorn, cowherd, afterRefork } = trial.memory;
  return row([title, gunicorn.toFixed(0), cowherd.toFixed(0), afterRefork === null ? '–' : afterRefork.toFixed(0)]);
}

function remarks({ title, trial, problem }: ApplicationResult): string[] {
  const lines: string[] = [];
  if (problem !== null) lines.push(`- not served: ${firstLine(problem)}`);
  if (trial !== null) {
    for (const { request, where } of trial.answers.different)
      lines.push(`- different: \`${request}\`: ${code(where[0] ?? '')}`);
    for (const { request, where } of trial.answers.unsteady) {
      lines.push(`- unsteady: \`${request}\`: ${where.slice(0, 3).join(', ')}${where.length > 3 ? ', …' : ''}`);
    }
    for (const each of trial.load.lost.slice(0, 5)) lines.push(`- lost: ${code(each)}`);
    for (const [name, told] of [
      ['reload', trial.reload],
      ['refork', trial.refork],
      ['stop', trial.stop],
    ] as const) {
      if (!told.ok) lines.push(`- ${name} refused: ${code(reasonIn(told.failure ?? ''))}`);
    }
    for (const { level, text, times } of trial.warnings)
      lines.push(`- ${level}, ${times} times: ${code(firstLine(text))}`);
    for (const [reason, count] of Object.entries(trial.leftOut)) lines.push(`- ${count} links not followed: ${reason}`);
  }
  return lines.length === 0 ? [] : [`### ${title}`, '', ...lines, ''];
}

const row = (cells: readonly (string | number)[]): string =>
  `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;

/** A code span, so that a text is not taken for a link or for the name of an error code. */
function code(text: string): string {
  const brief = withoutPlaces(text).replaceAll('`', "'");
  return `\`\`${brief.length > SHOWN ? `${brief.slice(0, SHOWN)} …` : brief}\`\``;
}

const SHOWN = 300;

/** Removes the paths of the checkout and of the interpreter, which depend on this machine. */
function withoutPlaces(text: string): string {
  return text.replaceAll(
    /\/[^\s:;'"]*\/(?=site-packages\/|\.cache\/applications\/|python3\.\w+\/(?!site-packages))/g,
    '',
  );
}

/** The line of a command's output that says why it failed. */
function reasonIn(failure: string): string {
  const lines = failure.split('\n');
  return lines.find((line) => line.startsWith('Error ')) ?? lines[0] ?? '';
}

const firstLine = (text: string): string => text.split('\n')[0] ?? '';

function workerClass(args: readonly string[]): string {
  const given = args.findIndex((word) => word === '--worker-class');
  if (given >= 0) return args[given + 1] ?? '';
  return args.includes('--threads') ? 'gthread' : 'sync';
}
