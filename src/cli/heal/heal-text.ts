/** The output of `cowherd heal` for people. Pure. */
import pc from 'picocolors';
import {
  bytes,
  formatCount,
  formatDuration,
  formatMiB,
  milliseconds,
  seconds,
  secondsToMilliseconds,
} from '../../base/units.ts';
import { KSM_FOLDER } from '../../procfs/ksm.ts';
import type { SettingChange } from '../../supervisor/ksm/ksm-switch.ts';
import type { HealReport, HealSample } from './heal-report.ts';

/** Policies under which collections write the mold's objects. */
const COPYING_POLICIES = new Set(['stock']);

export function formatQuestion(changes: readonly SettingChange[], keeps: boolean): string {
  const rows = changes.map(({ file, from, to }) => `  ${`${KSM_FOLDER}/${file}`.padEnd(38)} ${from} -> ${to}`);
  const afterwards = keeps
    ? 'Afterwards KSM goes on (--keep), at the pace that it had before.'
    : 'Afterwards they are put back; what is merged stays merged.';
  return [
    'Healing needs settings of this host to be changed, for some seconds:',
    ...rows,
    'Meanwhile the memory of all processes of this host that let the kernel merge it is merged.',
    afterwards,
    'Go on?',
  ].join('\n');
}

export function formatBegin(
  target: string,
  processes: number,
  first: HealSample,
  notMergeable: readonly number[],
): string {
  const lines = [`Healing ${target}: ${processes} processes, ${formatMiB(bytes(first.pss))} PSS`];
  if (notMergeable.length > 0) {
    lines.push(pc.yellow(`These do not let the kernel merge their memory: ${notMergeable.join(', ')}`));
  }
  return lines.join('\n');
}

/** A sample in one line. */
export function formatSample(sample: HealSample): string {
  const { host } = sample;
  const profit = host.general_profit === null ? '' : `, profit ${formatMiB(bytes(host.general_profit))}`;
  return [
    `${sample.seconds.toFixed(1).padStart(5)} s  PSS ${formatMiB(bytes(sample.pss))}`,
    `won ${formatMiB(bytes(sample.pss_before - sample.pss))}`,
    `merged ${formatMiB(bytes(sample.merged))}`,
    `ksmd ${sample.ksmd_cpu_seconds === null ? '?' : sample.ksmd_cpu_seconds.toFixed(1)} s`,
    `passes ${host.full_scans}${profit}`,
  ].join('  ');
}

export function formatHeal(report: HealReport): string {
  const last = report.samples.at(-1);
  if (last === undefined) return '';
  const part = last.pss_before === 0 ? 0 : (100 * report.won) / last.pss_before;
  const after = formatDuration(milliseconds(secondsToMilliseconds(seconds(report.seconds))));
  const how = {
    settled: `Settled after ${after}`,
    'time is up': `Not settled yet after ${after}`,
    interrupted: `Interrupted after ${after}`,
  }[report.end];
  const cpu =
    report.ksmd_cpu_seconds === null ? 'not to be seen here' : `${report.ksmd_cpu_seconds.toFixed(1)} s of CPU time`;
  const { pages_shared: shared, pages_sharing: sharing, general_profit: profit } = last.host;
  return [
    `${how}: ${formatMiB(bytes(last.pss_before))} -> ${formatMiB(bytes(last.pss))} PSS, ` +
      pc.green(`${formatMiB(bytes(report.won))} won (${part.toFixed(0)}%)`),
    `ksmd: ${cpu}. By the kernel's books these processes save ${formatMiB(bytes(last.profit))}` +
      (profit === null ? '' : `, the host ${formatMiB(bytes(profit))}`) +
      ` (${formatCount(shared)} pages stand in for ${formatCount(sharing)} more)`,
    afterwards(report),
    'A merged page that is written is copied again.' +
      (COPYING_POLICIES.has(report.policy ?? '')
        ? ` Under heap policy ${report.policy ?? ''} each full collection writes them all: freeze and immortal keep them shared.`
        : ''),
  ].join('\n');
}

function afterwards({ host: { changed, put_back: isPutBack } }: HealReport): string {
  if (changed.length === 0) return 'KSM was on before, and its settings were left alone.';
  return isPutBack
    ? `The settings of the host are as before: ${changed.map(({ file, before }) => `${file} ${before}`).join(', ')}.`
    : `KSM goes on, as --keep says. To stop it and keep what is merged: echo 0 > ${KSM_FOLDER}/run`;
}
