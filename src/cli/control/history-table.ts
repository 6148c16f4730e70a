/** The records of a herd's restarts as a table for a terminal. */
import { printableIn } from '../../base/printable.ts';
import {
  bytes,
  formatCount,
  formatDuration,
  formatMiBNumber,
  seconds,
  secondsToMilliseconds,
} from '../../base/units.ts';
import type { RestartRecord } from '../../supervisor/restarts/restart-record.ts';
import { plainTable } from '../shared/plain-table.ts';

const HEAD = [
  'started',
  'what',
  'generation',
  'by',
  'took',
  'free',
  'available',
  'cache lost',
  'minor faults',
  'major',
  'answered',
  'errors',
  'cut',
];
const LEFT_COLUMNS = 4;

/** A row for each restart, oldest first, then the reasons of failures. Memory is the lowest value, in MiB. */
export function formatHistory(file: string | null, raw: readonly RestartRecord[]): string {
  const records = printableIn(raw);
  if (file === null || records.length === 0) return 'No restart of this herd is recorded';
  const failures = records
    .filter((record) => record.failure !== null)
    .map((record) => `${localTime(record.started)} ${record.kind} failed: ${record.failure}`);
  return [
    plainTable(HEAD, records.map(row), LEFT_COLUMNS),
    '',
    'free and available: the lowest memory of the host, in MiB, as is the page cache lost. errors: requests in which the',
    'application raised an exception; cut: those in flight in a worker that ended.',
    ...(failures.length > 0 ? ['', ...failures] : []),
  ].join('\n');
}

function row(record: RestartRecord): string[] {
  const { host, faults, requests } = record;
  const mib = (value: number | undefined): string => (value === undefined ? '?' : formatMiBNumber(bytes(value)));
  return [
    localTime(record.started),
    record.failure === null ? record.kind : `${record.kind} (failed)`,
    record.to === null ? `${record.from}` : `${record.from} → ${record.to}`,
    record.by,
    formatDuration(secondsToMilliseconds(seconds(record.duration_seconds))),
    mib(host?.memory_free_lowest),
    mib(host?.memory_available_lowest),
    mib(host?.page_cache_lost),
    formatCount(faults.minor),
    formatCount(faults.major),
    formatCount(requests.answered),
    formatCount(requests.errors),
    formatCount(requests.cut),
  ];
}

/** `2026-01-31 12:00:00` in the machine's own time zone. */
function localTime(iso: string): string {
  const moment = new Date(iso);
  const local = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace('T', ' ');
}
