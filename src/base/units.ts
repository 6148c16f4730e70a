/**
 * Units as branded types: a number of bytes can't be passed where milliseconds are expected. Values are bytes and
 * milliseconds throughout; MiB and words such as "2 min 5 s" are made only for display.
 */

declare const unit: unique symbol;
type Brand<Value, Name extends string> = Value & { readonly [unit]: Name };

export type Bytes = Brand<number, 'bytes'>;
export type Pages = Brand<number, 'pages'>;
export type Milliseconds = Brand<number, 'milliseconds'>;
export type Seconds = Brand<number, 'seconds'>;
/** Bigints, because nanoseconds of CLOCK_MONOTONIC exceed 2^53 after 104 days. */
export type Nanoseconds = Brand<bigint, 'nanoseconds'>;
/** Ticks of USER_HZ, the unit of CPU times in /proc (proc_pid_stat(5)). */
export type ClockTicks = Brand<number, 'clock ticks'>;
/** A part of one core: 1 is a core that is always busy. */
export type CoreShare = Brand<number, 'core share'>;

export const bytes = (value: number): Bytes => value as Bytes;
export const kibibytes = (value: number): Bytes => (value * 1024) as Bytes;
export const mebibytes = (value: number): Bytes => (value * 1024 * 1024) as Bytes;
export const pages = (value: number): Pages => value as Pages;
export const milliseconds = (value: number): Milliseconds => value as Milliseconds;
export const seconds = (value: number): Seconds => value as Seconds;
export const nanoseconds = (value: bigint): Nanoseconds => value as Nanoseconds;
export const clockTicks = (value: number): ClockTicks => value as ClockTicks;
/** `percentOfCore(1)` is a hundredth of a core. */
export const percentOfCore = (value: number): CoreShare => (value / 100) as CoreShare;

/** The kernel defines the size of a page and the length of a tick: `src/procfs/auxv.ts` reads them. */
export const pagesToBytes = (count: Pages, pageSize: Bytes): Bytes => bytes(count * pageSize);
export const secondsToMilliseconds = (value: Seconds): Milliseconds => milliseconds(value * 1000);
/** Exact to a microsecond for 285 years of CLOCK_MONOTONIC. */
export const nanosecondsToMilliseconds = (value: Nanoseconds): Milliseconds =>
  milliseconds(Number(value / 1000n) / 1000);
export const ticksToSeconds = (value: ClockTicks, ticksPerSecond: number): Seconds => seconds(value / ticksPerSecond);

export const inMiB = (value: Bytes): number => value / (1024 * 1024);

/** `"254.3 MiB"`; from 1,000 MiB on without the decimal: `"1,532 MiB"`. */
export function formatMiB(value: Bytes): string {
  return `${formatMiBNumber(value)} MiB`;
}

/** The number of {@link formatMiB} without the unit, for table columns whose header names it. */
export function formatMiBNumber(value: Bytes): string {
  const mib = inMiB(value);
  return Math.abs(mib) < 999.95 ? mib.toFixed(1) : formatCount(Math.round(mib));
}

/** `1234567` as `"1,234,567"`, the same in every locale. */
export function formatCount(value: number): string {
  const [whole = '', fraction] = String(value).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

const DURATION_STEPS: readonly { readonly name: string; readonly ms: number }[] = [
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'min', ms: 60_000 },
  { name: 's', ms: 1000 },
];

/**
 * The two largest units, as people say them: `"0.4 ms"`, `"340 ms"`, `"2.1 s"`, `"42 s"`, `"4 min 12 s"`, `"3 d 4 h"`.
 */
export function formatDuration(value: Milliseconds): string {
  if (value < 0) return `-${formatDuration(milliseconds(Math.abs(value)))}`;
  if (value < 9.95) return `${Number(value.toFixed(1))} ms`;
  if (value < 999.5) return `${Math.round(value)} ms`;
  if (value < 9950) return `${(value / 1000).toFixed(1)} s`;
  const whole = Math.round(value / 1000) * 1000;
  const first = DURATION_STEPS.findIndex((step) => whole >= step.ms);
  const large = DURATION_STEPS[first];
  const small = DURATION_STEPS[first + 1];
  if (large === undefined) return `${whole} ms`;
  const count = Math.floor(whole / large.ms);
  const rest = small === undefined ? 0 : Math.floor((whole - count * large.ms) / small.ms);
  return small === undefined || rest === 0 ? `${count} ${large.name}` : `${count} ${large.name} ${rest} ${small.name}`;
}
