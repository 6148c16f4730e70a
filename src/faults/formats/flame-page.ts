/**
 * A recording as one HTML file, readable offline: what was copied and why, over time, and a flame graph that can be
 * searched and zoomed. The page loads nothing. It contains only numbers and the names of functions and files.
 *
 * The graph hangs from its root. A function's width is what it and the functions below it have copied (after Brendan
 * Gregg's flame graphs, https://www.brendangregg.com/flamegraphs.html); its color is the main cause.
 */
import { escapeHtml, offlinePage } from '../../base/html.ts';
import { bytes, formatCount, formatMiB } from '../../base/units.ts';
import { FAULT_CAUSE_NAMES, FAULT_CAUSES } from '../profile/causes.ts';
import { FLAME_PAGE_SCRIPT } from './flame-page-script.ts';
import { FLAME_PAGE_STYLE } from './flame-page-style.ts';
import { type FlameNode, flameTree, mainCause } from './flame-tree.ts';
import type { Profile } from '../profile/profile.ts';
import type { RecordReport } from '../recording/report.ts';

/** The data for the page's script. */
interface PageData {
  readonly pageBytes: number;
  readonly causes: readonly { name: string; color: string }[];
  /** Name, file and whether it is a Python function, indexed by number. */
  readonly frames: readonly (readonly [name: string, file: string, python: 0 | 1])[];
  /** Four numbers per node, parents first: depth, number of the frame, faults, number of the cause. */
  readonly nodes: readonly number[];
}

export function flamePage(report: RecordReport, profile: Profile): string {
  const title = `Copied pages: ${report.title}`;
  const remarks = report.remarks.map((remark) => `<p class="remark">${escapeHtml(remark)}</p>`);
  return offlinePage({
    title,
    style: FLAME_PAGE_STYLE,
    header: [`<p>${escapeHtml(summary(report))}</p>`, ...remarks].join('\n'),
    main: `<section class="columns">
${causesTable(report)}
${overTime(report)}
</section>
<section>
<div class="tools">
<input id="search" type="search" placeholder="Search functions and files" aria-label="Search functions and files" autocomplete="off" spellcheck="false">
<span id="found" role="status"></span>
<button id="out" type="button" hidden>Zoom out</button>
</div>
<div id="graph" role="tree" aria-label="Flame graph"></div>
<p id="told" role="status">Click a function to zoom in; Esc zooms out.</p>
</section>`,
    data: pageData(profile, report.page_bytes),
    script: FLAME_PAGE_SCRIPT,
  });
}

function summary(report: RecordReport): string {
  const lost = report.lost === 0 ? 'none lost' : `${formatCount(report.lost)} lost`;
  return `${formatCount(report.faults)} faults, ${formatMiB(bytes(report.bytes))} copied in ${report.seconds.toFixed(1)} s; ${lost}; ${report.instrument.event}; ${report.taken_at}`;
}

function causesTable(report: RecordReport): string {
  const rows = FAULT_CAUSE_NAMES.filter((name) => report.causes[name].faults > 0)
    .toSorted((a, b) => report.causes[b].faults - report.causes[a].faults)
    .map((name) => {
      const { faults, bytes: size, percent } = report.causes[name];
      const { title, meaning, color } = FAULT_CAUSES[name];
      return `<tr><th scope="row"><span class="swatch" style="background:${color}"></span>${title}</th><td>${formatCount(faults)}</td><td>${formatMiB(bytes(size))}</td><td>${percent.toFixed(1)}%</td><td class="text">${escapeHtml(meaning)}</td></tr>`;
    });
  return `<table><thead><tr><th>Cause</th><th>Faults</th><th>Copied</th><th></th><th class="text">What it means</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

const CHART_WIDTH = 480;
const CHART_HEIGHT = 96;

/** A bar for each bucket of time, with the causes stacked. */
function overTime({ over_time: { bucket_seconds: width, buckets } }: RecordReport): string {
  const sums = buckets.map((bucket) => FAULT_CAUSE_NAMES.reduce((sum, name) => sum + bucket[name], 0));
  const most = Math.max(1, ...sums);
  const step = CHART_WIDTH / Math.max(1, buckets.length);
  const bars = buckets.flatMap((bucket, index) => {
    let top = CHART_HEIGHT;
    return FAULT_CAUSE_NAMES.map((name) => {
      const height = (bucket[name] / most) * CHART_HEIGHT;
      top -= height;
      return height === 0
        ? ''
        : `<rect x="${(index * step).toFixed(2)}" y="${top.toFixed(2)}" width="${Math.max(0.5, step - 0.5).toFixed(2)}" height="${height.toFixed(2)}" fill="${FAULT_CAUSES[name].color}"/>`;
    });
  });
  const seconds = buckets.length * width;
  return `<figure><svg viewBox="0 0 ${CHART_WIDTH} ${CHART_HEIGHT}" role="img" aria-label="Faults over time" preserveAspectRatio="none">${bars.join('')}</svg><figcaption><span>0 s</span><span>at most ${formatCount(most)} faults in ${width} s</span><span>${seconds.toFixed(1)} s</span></figcaption></figure>`;
}

function pageData(profile: Profile, pageBytes: number): PageData {
  const nodes: number[] = [];
  const walk = (node: FlameNode, depth: number): void => {
    nodes.push(depth, node.frame, node.faults, mainCause(node.causes));
    for (const child of node.children) walk(child, depth + 1);
  };
  walk(flameTree(profile), 0);
  return {
    pageBytes,
    causes: FAULT_CAUSE_NAMES.map((name) => ({ name: FAULT_CAUSES[name].title, color: FAULT_CAUSES[name].color })),
    frames: profile.frames.map(({ name, file, language }) => [name, file, language === 'python' ? 1 : 0]),
    nodes,
  };
}
