/** Finds lines of a log that report trouble, in a form that can be compared between two runs. Pure. */
import { GRAVE, parseLine } from '../lib/server-log.ts';

export interface Trouble {
  /** Messages in Cowherd's log format, from the level warning up. */
  readonly warnings: readonly string[];
  /** Other lines of the processes that mention an error or a warning. */
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

/** The lines that `ours` has and `theirs` has not, ignoring numbers, times and addresses in them. */
export function troubleBeyond(ours: Trouble, theirs: Trouble): Trouble {
  const known = new Set([...theirs.warnings, ...theirs.output].map(kindOf));
  const isNew = (line: string): boolean => !known.has(kindOf(line));
  return { warnings: ours.warnings.filter(isNew), output: ours.output.filter(isNew) };
}

/** A line without the parts that differ from run to run: numbers, addresses, paths of temporary files. */
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
