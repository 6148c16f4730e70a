/**
 * The answer of `cowherd why` as one HTML file, readable offline: tables as on the terminal, and a map of the memory
 * with a cell for each page, colored by cause and grouped by mapping.
 *
 * The page loads nothing. Of the memory it contains only addresses, causes, and names of types and modules.
 */
import { escapeHtml, offlinePage } from '../../base/html.ts';
import { bytes, formatCount, formatMiB, formatMiBNumber } from '../../base/units.ts';
import { CAUSE_NAMES, CAUSES } from '../../forensics/pages/causes.ts';
import { PAGE_CODES, type RegionMap } from '../../forensics/pages/page-map.ts';
import type { WorkerComparison } from '../../forensics/compare/comparison.ts';
import { ownerName, type WhyReport, type WorkerWhy } from '../../forensics/answer/report.ts';
import { WHY_PAGE_SCRIPT } from './why-html-script.ts';
import { WHY_PAGE_STYLE } from './why-html-style.ts';

/** Colors of pages without a cause: shared, fresh, released or absent. */
const CODE_COLORS: Record<(typeof PAGE_CODES)[number], string> = {
  absent: 'transparent',
  shared: '#2e7d4f',
  fresh: '#b9c3cf',
  released: '#3b3f46',
};
const CODE_MEANINGS: Record<(typeof PAGE_CODES)[number], string> = {
  absent: 'no page here',
  shared: 'still shared',
  fresh: 'made by the worker itself since its fork',
  released: 'given back by the worker',
};

/** The data for the page's script; sizes are in bytes. */
interface PageData {
  readonly pageBytes: number;
  /** Name, color and meaning of each code. */
  readonly codes: readonly { name: string; color: string; meaning: string }[];
  readonly workers: readonly {
    pid: number;
    owners: readonly string[];
    regions: readonly { name: string; start: string; codes: string; owners: string }[];
  }[];
}

/** @param comparisons the workers to show, each with its map */
export function whyPage(report: WhyReport, comparisons: readonly WorkerComparison[]): string {
  const title = `Why process ${report.reference.pid}'s workers stop sharing`;
  const shown = comparisons.flatMap(({ pid }) => report.workers.find((worker) => worker.pid === pid) ?? []);
  const problem =
    report.reference.problem === null
      ? ''
      : `<p class="problem">Causes are told by the bytes alone: ${escapeHtml(report.reference.problem)}.</p>`;
  return offlinePage({
    title,
    style: WHY_PAGE_STYLE,
    header: `<p>${escapeHtml(familyLine(report))}</p>\n${problem}`,
    main: `${adviceSection(report)}\n${shown.map((worker, index) => workerSection(worker, index)).join('\n')}`,
    footer: '<div id="tip" role="status" hidden></div>',
    data: pageData(report, comparisons),
    script: WHY_PAGE_SCRIPT,
  });
}

function familyLine({ reference, workers, taken_at: takenAt }: WhyReport): string {
  const interpreter = reference.interpreter === null ? '' : `, ${reference.interpreter}`;
  const policy = reference.policy === null ? '' : `, heap policy ${reference.policy}`;
  return `${reference.name}${interpreter}${policy}; ${workers.length} workers; ${takenAt}`;
}

function adviceSection({ advice, workers }: WhyReport): string {
  if (advice.length === 0) return '<section><h2>What to do</h2><p>Nothing here is worth a change.</p></section>';
  const items = advice.map(({ text, bytes_won_per_worker, bytes_won_in_all }) => {
    const all = workers.length > 1 ? `, ${formatMiB(bytes(bytes_won_in_all))} in all` : '';
    return `<li>${withCode(text)} <strong>About ${formatMiB(bytes(bytes_won_per_worker))} a worker${all}.</strong></li>`;
  });
  return `<section><h2>What to do</h2><ol>${items.join('')}</ol></section>`;
}

function workerSection(worker: WorkerWhy, index: number): string {
  const part = (value: number, of: number): string => (of === 0 ? '0%' : `${((100 * value) / of).toFixed(0)}%`);
  const causes = CAUSE_NAMES.filter((cause) => worker.causes[cause].pages > 0)
    .toSorted((a, b) => worker.causes[b].pages - worker.causes[a].pages)
    .map((cause) => {
      const { pages, bytes: size, percent } = worker.causes[cause];
      const swatch = `<span class="swatch" style="background:${CAUSES[cause].color}"></span>`;
      return `<tr><th scope="row">${swatch}${cause}</th><td>${formatCount(pages)}</td><td>${formatMiBNumber(bytes(size))}</td><td>${percent.toFixed(1)}%</td><td class="text">${escapeHtml(CAUSES[cause].meaning)}</td></tr>`;
    });
  const owners = worker.owners
    .filter((owner) => owner.bytes > 0)
    .map(
      (owner) =>
        `<tr><th scope="row">${escapeHtml(ownerName(owner.module, owner.type))}</th><td>${formatMiBNumber(bytes(owner.bytes))}</td><td>${owner.percent.toFixed(1)}%</td><td>${formatMiBNumber(bytes(owner.bystander_bytes))}</td></tr>`,
    );
  return `<section>
<h2>Worker ${worker.pid}</h2>
<p>Of ${formatMiB(bytes(worker.shared_at_fork))} shared at the fork <strong>${formatMiB(bytes(worker.shared))} (${part(worker.shared, worker.shared_at_fork)})</strong> still are; <strong>${formatMiB(bytes(worker.unshared))}</strong> were copied since. ${formatMiB(bytes(worker.fresh))} it has made itself.</p>
<table><thead><tr><th>Cause</th><th>Pages</th><th>MiB</th><th></th><th class="text">What it means</th></tr></thead><tbody>${causes.join('')}</tbody></table>
<h3>Memory map</h3>
<div class="legend" data-legend></div>
<div class="map" data-worker="${index}"></div>
<h3>Whose pages</h3>
<table><thead><tr><th>Owner</th><th>MiB</th><th></th><th>Not written, beside, MiB</th></tr></thead><tbody>${owners.join('')}</tbody></table>
</section>`;
}

function pageData(report: WhyReport, comparisons: readonly WorkerComparison[]): PageData {
  return {
    pageBytes: report.page_bytes,
    codes: [
      ...PAGE_CODES.map((name) => ({ name, color: CODE_COLORS[name], meaning: CODE_MEANINGS[name] })),
      ...CAUSE_NAMES.map((name) => ({ name, color: CAUSES[name].color, meaning: CAUSES[name].meaning })),
    ],
    workers: comparisons.map((comparison) => workerData(comparison)),
  };
}

/** A page's owner has 16 bits. There are more names of modules and types, but few own the largest part of a page. */
const MOST_OWNERS = 0x7fff;

function workerData({ pid, map, ownerNames }: WorkerComparison): PageData['workers'][number] {
  const shown = [...new Set(map.flatMap(({ owners }) => [...new Set(owners)]))].filter((owner) => owner >= 0);
  const numbers = new Map(shown.slice(0, MOST_OWNERS).map((owner, number) => [owner, number]));
  return {
    pid,
    owners: [...numbers.keys()].map((owner) => {
      const name = ownerNames[owner];
      return name === undefined ? '' : ownerName(name.module, name.type);
    }),
    // Regions with the most lost pages first.
    regions: map
      .toSorted((a, b) => lostPages(b) - lostPages(a) || b.codes.length - a.codes.length)
      .map(({ region, codes, owners }) => ({
        name: region.path === '' ? 'anonymous memory' : region.path,
        start: region.start.toString(16),
        codes: Buffer.from(codes).toString('base64'),
        owners: Buffer.from(Int16Array.from(owners, (owner) => numbers.get(owner) ?? -1).buffer).toString('base64'),
      })),
  };
}

function lostPages({ codes }: RegionMap): number {
  return codes.reduce((count, code) => count + (code >= PAGE_CODES.length ? 1 : 0), 0);
}

/** Turns commands in backticks into `<code>`. */
function withCode(text: string): string {
  return escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}
