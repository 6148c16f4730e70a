/** Makes docs/compatibility.md from the results. Pure. */
import type { Package } from './list.ts';
import type { Observation } from './observation.ts';
import type { Summary } from './summary.ts';
import type { Verdict } from './verdict.ts';

export interface Cell {
  readonly observation: Observation;
  readonly verdict: Verdict;
}

export interface Row {
  readonly package: Package;
  /** By interpreter; without those it was not run on. */
  readonly cells: Readonly<Record<string, Cell>>;
}

export function page(rows: readonly Row[], pythons: readonly string[], summary: Summary): string {
  const all = rows.flatMap((row) => Object.values(row.cells));
  return [
    '# Compatibility',
    '',
    'Each package here was served twice on each interpreter, as its newest release that the Python index had on that',
    'day: by `gunicorn --preload`, and by `cowherd serve` with the same arguments and the default heap policy. The',
    'application imports the package when it is loaded, and uses it in each request.',
    '',
    '- **served**: 50 requests had the same answers from both, byte for byte.',
    '- **reloaded**, **reforked**: `cowherd reload` and `cowherd refork` did their work while two clients went on',
    '  asking, and every answer was right.',
    '- The herd stopped with status 0, and nothing was left behind. The log had no warning and no error that',
    '  gunicorn’s had not.',
    '',
    'A cell with nothing but the name of the heap policy means all of that. `make test-packages` makes this page; nobody',
    'writes in it. [CONTRIBUTING.md](../CONTRIBUTING.md) says how to add a package.',
    '',
    `Made ${datesOf(all)} with Cowherd of ${commitsOf(all)}, gunicorn ${versionsOf(all.map(({ observation }) => observation.gunicornVersion))},`,
    `CPython ${versionsOf(all.map(({ observation }) => observation.pythonVersion))}: ${summary.packages} packages,`,
    `${summary.served} served, ${summary.reforked} reforked, ${summary.differences} differences to gunicorn,`,
    `${summary.named_exceptions} exceptions with a reason.`,
    '',
    ...tableOf(rows, pythons),
    '',
    ...notesOf(rows, pythons),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

function tableOf(rows: readonly Row[], pythons: readonly string[]): string[] {
  return [
    `| package | release | ${pythons.join(' | ')} |`,
    `|---|---|${pythons.map(() => '---|').join('')}`,
    ...rows.map((row) => {
      const cells = pythons.map((python) => cellOf(row, python));
      return `| ${row.package.name} | ${releaseOf(row, pythons)} | ${cells.join(' | ')} |`;
    }),
  ];
}

function releaseOf({ cells }: Row, pythons: readonly string[]): string {
  const of = pythons.flatMap((python) => {
    const cell = cells[python];
    return cell === undefined ? [] : [{ python, version: cell.observation.version }];
  });
  const versions = new Set(of.map(({ version }) => version));
  if (versions.size <= 1) return [...versions][0] ?? '';
  return of.map(({ python, version }) => `${version} (${python})`).join(', ');
}

function cellOf({ package: { not_for }, cells }: Row, python: string): string {
  if (not_for[python] !== undefined) return 'none';
  const cell = cells[python];
  if (cell === undefined) return 'not run';
  const { observation, verdict } = cell;
  if (verdict.fault !== null) return 'not shown';
  if (observation.cowherd?.started !== true) return 'does not start';
  const kinds = [...new Set(verdict.differences.map(({ kind }) => kind))];
  const exceptions = [...new Set(verdict.named.map(({ difference }) => difference.kind))];
  return [
    observation.cowherd.policy,
    ...kinds.map((kind) => `**${kind}**`),
    ...exceptions.map((kind) => `${kind}: named`),
  ].join(', ');
}

function notesOf(rows: readonly Row[], pythons: readonly string[]): string[] {
  const differences = rows.flatMap(({ package: { name }, cells }) =>
    grouped(
      Object.entries(cells).flatMap(([python, { verdict }]) =>
        verdict.differences.map(({ kind, what }) => ({ python, text: `${kind}: \`${oneLine(what)}\`` })),
      ),
    ).map((text) => `- ${name}, ${text}`),
  );
  const named = rows.flatMap(({ package: { name }, cells }) =>
    grouped(
      Object.entries(cells).flatMap(([python, { verdict }]) =>
        [...new Set(verdict.named.map(({ exception }) => exception))].map(({ kind, reason }) => ({
          python,
          text: `${kind}: ${reason}`,
        })),
      ),
    ).map((text) => `- ${name}, ${text}`),
  );
  const none = rows.flatMap(({ package: { name, not_for } }) =>
    grouped(
      Object.entries(not_for)
        .filter(([python]) => pythons.includes(python))
        .map(([python, reason]) => ({ python, text: reason })),
    ).map((text) => `- ${name}, ${text}`),
  );
  const faults = rows.flatMap(({ package: { name }, cells }) =>
    grouped(
      Object.entries(cells).flatMap(([python, { verdict }]) =>
        verdict.fault === null ? [] : [{ python, text: `\`${oneLine(verdict.fault)}\`` }],
      ),
    ).map((text) => `- ${name}, ${text}`),
  );
  return [
    ...section('Differences', 'What gunicorn does not do: defects of Cowherd, to be mended.', differences),
    ...section('Exceptions', 'Differences that stay, with their reasons.', named),
    ...section('Not shown', 'Gunicorn does not serve these either.', faults),
    ...section('None for an interpreter', 'Packages that cannot be had for it.', none),
  ];
}

function section(title: string, meaning: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`## ${title}`, '', meaning, '', ...lines, ''];
}

/** Merges texts that are the same on several interpreters: `3.11 and 3.13: text`. */
function grouped(entries: readonly { readonly python: string; readonly text: string }[]): string[] {
  const pythons = new Map<string, string[]>();
  for (const { python, text } of entries) pythons.set(text, [...(pythons.get(text) ?? []), python]);
  return [...pythons].map(([text, on]) => `${on.join(' and ')}: ${text}`);
}

const LINE_CHARACTERS = 300;

/** The last line of a text, since a traceback ends with its error. */
function oneLine(text: string): string {
  const last = text.trim().split('\n').at(-1) ?? '';
  return last.replaceAll('`', "'").slice(0, LINE_CHARACTERS);
}

function versionsOf(versions: readonly string[]): string {
  return [...new Set(versions)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).join(', ');
}

function commitsOf(cells: readonly Cell[]): string {
  const commits = [...new Set(cells.map(({ observation }) => observation.commit ?? 'no commit'))];
  return `${commits.length === 1 ? 'commit' : 'commits'} ${commits.sort().join(', ')}`;
}

function datesOf(cells: readonly Cell[]): string {
  const dates = [...new Set(cells.map(({ observation }) => observation.at.slice(0, 10)))].sort();
  return dates.length > 1 ? `from ${dates[0]} to ${dates.at(-1)}` : `on ${dates[0] ?? 'no day'}`;
}
