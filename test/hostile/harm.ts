/** What the output of a command, and what the command has taken, do to who has called it. Pure. */

/** A text of somebody else that steers a terminal, turns the reading order round, and begins a line of a log. */
export const EVIL = '\u001B]0;PWN\u0007\u001B[2J\u001B[7m\u202Egpj\n[CRITICAL] forged';
/** As short as the name of a process has to be. */
export const EVIL_NAME = '\u001B]0;PWN\u0007\u001B[7m';
/** What is left of both, whether they do something or not. */
const SHOWN = ']0;PWN';

/** Null where a text does nothing but to be read, beside the colours and the renewed lines of the command itself. */
export function steers(text: string): string | null {
  const plain = text
    .replaceAll('\r\n', '\n')
    // oxlint-disable-next-line no-control-regex -- SGR sequences are what is taken away
    .replaceAll(/\u001B\[\d*m|\r|\u001B\[K/g, '');
  const unprintable = /[^\P{C}\n]/u.exec(plain);
  if (unprintable !== null) {
    return `its output steers: ${JSON.stringify(plain.slice(Math.max(0, unprintable.index - 40), unprintable.index + 40))}`;
  }
  return /^\[CRITICAL\]/m.test(plain) ? 'its output has a line that is not its own' : null;
}

/** Whether the evil text is in the output at all: where it is not, nothing was tried. */
export function shows(text: string): boolean {
  return text.includes(SHOWN);
}

export interface Ran {
  /** Null where it had to be ended. */
  readonly status: number | null;
  readonly output: string;
  readonly peakBytes: number;
}

/** More than any command takes by itself, and for the worst that is still read. */
const MOST_BYTES = 256 * 1024 * 1024;

/** What has become of a command that met something foreign: it has ended, by itself, within bounds, and printed nothing evil. */
export function harmOf(what: string, { status, output, peakBytes }: Ran, mostBytes = MOST_BYTES): string[] {
  const harm: string[] = [];
  if (status === null) harm.push(`${what} did not end`);
  if (peakBytes > mostBytes) harm.push(`${what} took ${Math.round(peakBytes / 1024 / 1024)} MiB`);
  if (/^Error INTERNAL/m.test(output)) harm.push(`${what} broke: ${output.slice(-300)}`);
  const steering = steers(output);
  if (steering !== null) harm.push(`${what}: ${steering}`);
  return harm;
}
