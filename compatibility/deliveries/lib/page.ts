/** The table of results, for a terminal and for docs/deliveries.md. Pure. */
import { table } from '../../../bench/lib/table.ts';
import { SERVERS } from './commands.ts';
import type { Versions } from './environment.ts';
import { type CaseResult, type Trial, warningsOf } from './result.ts';

const BEGIN = '<!-- figures: written by make test-deliveries -->';
const END = '<!-- end of the figures -->';

export function tableOf(results: readonly CaseResult[]): string {
  return table(
    ['case', 'server', 'requests', 'failed', 'counted', 'sent', 'delivered', 'lost', 'doubled', 'warnings'],
    results.flatMap((result) =>
      SERVERS.flatMap((server) => {
        const trial = result.trials[server];
        if (trial === undefined) return [];
        const { requests, failed, tally } = trial;
        const { sent, delivered, lost, doubled } = tally;
        const warnings = warningsOf(trial);
        return [[result.name, server, requests, failed, result.counted, sent, delivered, lost, doubled, warnings]];
      }),
    ),
    0,
  );
}

/** The page with these figures in place of the old ones. */
export function withFigures(page: string, results: readonly CaseResult[], versions: Versions): string {
  const [head, rest] = page.split(BEGIN);
  const tail = rest?.split(END)[1];
  if (head === undefined || tail === undefined) throw new Error(`the page has no place for figures: ${BEGIN} … ${END}`);
  return `${head}${BEGIN}\n${figures(results, versions)}\n${END}${tail}`;
}

const LIBRARIES = [
  'gunicorn',
  'opentelemetry-sdk',
  'sentry-sdk',
  'apscheduler',
  'grpcio',
  'onnxruntime',
  'scikit-learn',
  'loguru',
  'redis',
  'requests',
] as const;

function figures(results: readonly CaseResult[], versions: Versions): string {
  return [
    `CPython ${versions['python']}, ${LIBRARIES.map((name) => `${name} ${versions[name]}`).join(', ')}.`,
    '',
    '| case | counted | Cowherd: requests | deliveries | warnings | gunicorn `--preload`: requests | deliveries |',
    '|---|---|---|---|---|---|---|',
    ...results.map((result) => `| ${cellsOf(result).join(' | ')} |`),
  ].join('\n');
}

function cellsOf({ title, counted, trials: { cowherd, gunicorn } }: CaseResult): string[] {
  return [
    title,
    counted,
    ...(cowherd === undefined
      ? ['', '', '']
      : [requestsOf(cowherd), deliveriesOf(cowherd), String(warningsOf(cowherd))]),
    ...(gunicorn === undefined ? ['', ''] : [requestsOf(gunicorn), deliveriesOf(gunicorn)]),
  ];
}

function requestsOf({ requests, failed }: Trial): string {
  return failed === 0 ? `${requests}` : `${requests}, **${failed} failed**`;
}

function deliveriesOf({ tally: { sent, delivered, lost, doubled } }: Trial): string {
  const faults = [lost > 0 ? `**${lost} lost**` : '', doubled > 0 ? `**${doubled} doubled**` : ''];
  return [`${delivered} of ${sent}`, ...faults.filter((fault) => fault !== '')].join(', ');
}
