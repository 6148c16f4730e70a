/** The harm that a command does to its caller by its output and its use of memory. Pure. */

/** A text of an attacker that steers a terminal, reverses the reading order, and begins a log line. */
export const EVIL = '\u001B]0;PWN\u0007\u001B[2J\u001B[7m\u202Egpj\n[CRITICAL] forged';
/** A version short enough for the name of a process. */
export const EVIL_NAME = '\u001B]0;PWN\u0007\u001B[7m';
/** The part of both that stays visible even where they are escaped. */
const SHOWN = ']0;PWN';

/**
 * How a text steers the terminal; null if it only has printable text, and the command's own colors and line updates.
 */
export function steers(text: string): string | null {
  const plain = text
    .replaceAll('\r\n', '\n')
    // oxlint-disable-next-line no-control-regex -- the pattern removes SGR sequences
    .replaceAll(/\u001B\[\d*m|\r|\u001B\[K/g, '');
  const unprintable = /[^\P{C}\n]/u.exec(plain);
  if (unprintable !== null) {
    return `its output steers: ${JSON.stringify(plain.slice(Math.max(0, unprintable.index - 40), unprintable.index + 40))}`;
  }
  return /^\[CRITICAL\]/m.test(plain) ? 'its output has a line that is not its own' : null;
}

/** Whether the evil text is in the output at all. If not, the attack has tested nothing. */
export function shows(text: string): boolean {
  return text.includes(SHOWN);
}

export interface Ran {
  /** Exit status; null if the command had to be killed. */
  readonly status: number | null;
  readonly output: string;
  readonly peakBytes: number;
}

/** More than any command needs by itself, with room for the largest input that is still read. */
const MOST_BYTES = 256 * 1024 * 1024;

/**
 * The harm of a command that met foreign data. None if it has ended by itself, within its memory limit, and has printed
 * nothing evil.
 */
export function harmOf(what: string, { status, output, peakBytes }: Ran, mostBytes = MOST_BYTES): string[] {
  const harm: string[] = [];
  if (status === null) harm.push(`${what} did not end`);
  if (peakBytes > mostBytes) harm.push(`${what} took ${Math.round(peakBytes / 1024 / 1024)} MiB`);
  if (/^Error INTERNAL/m.test(output)) harm.push(`${what} broke: ${output.slice(-300)}`);
  const steering = steers(output);
  if (steering !== null) harm.push(`${what}: ${steering}`);
  return harm;
}
