/** What a log has that speaks of trouble, in words that can be compared between two runs. Pure. */
import { GRAVE, parseLine } from '../lib/server-log.ts';

export interface Trouble {
  /** Of Cowherd's log format: messages from the level warning on. */
  readonly warnings: readonly string[];
  /** Of anything else that the processes wrote: lines that speak of an error or a warning. */
  readonly output: readonly string[];
}

const SPEAKS_OF_TROUBLE = /warning|error|exception|traceback|fatal|segfault|deadlock|assert|\bcritical\b/i;

/** Each kind of line once, in the order of the log. */
export function troubleIn(log: string): Trouble {
  const warnings = new Map<string, string>();
  const output = new Map<string, string>();
  for (const line of log.split('\n')) {
    const parsed = parseLine(line);
    if (parsed === null) {
      if (SPEAKS_OF_TROUBLE.test(line)) remember(output, line.trim());
    } else if (GRAVE.has(parsed.level)) remember(warnings, parsed.msg);
  }
  return { warnings: [...warnings.values()], output: [...output.values()] };
}

/** What `ours` has and `theirs` has not, whatever numbers, times and addresses are in it. */
export function troubleBeyond(ours: Trouble, theirs: Trouble): Trouble {
  const known = new Set([...theirs.warnings, ...theirs.output].map(kindOf));
  const isNew = (line: string): boolean => !known.has(kindOf(line));
  return { warnings: ours.warnings.filter(isNew), output: ours.output.filter(isNew) };
}

/** A line without what differs from run to run: numbers, addresses, paths of temporary files. */
export function kindOf(line: string): string {
  return line
    .replaceAll(/0x[0-9a-f]+/gi, 'N')
    .replaceAll(/\/tmp\/\S+/g, '/tmp/…')
    .replaceAll(/\b[0-9a-f]{8,}\b/gi, 'N')
    .replaceAll(/\d+/g, 'N')
    .trim();
}

function remember(lines: Map<string, string>, line: string): void {
  const kind = kindOf(line);
  if (!lines.has(kind)) lines.set(kind, line);
}
