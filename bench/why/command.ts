/** Runs `cowherd why` as a person would, and measures its time and memory. */
import { execFileSync } from 'node:child_process';
import type { WhyReport } from '../../src/forensics/answer/report.ts';
import { COWHERD, PYTHON } from '../lib/places.ts';

export interface Asked {
  readonly report: WhyReport;
  /** From the start of the command to its end. */
  readonly seconds: number;
  /** Peak resident memory of the command. */
  readonly mib: number;
}

/** In Python, because Node can't tell a child's memory; getrusage(2) can. */
const MEASURE = `
import resource, subprocess, sys, time
started = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, check=True)
seconds = time.monotonic() - started
sys.stdout.buffer.write(done.stdout)
sys.stdout.flush()
print(seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, file=sys.stderr)
`;

export function askWhy(args: readonly string[]): Asked {
  const command = [COWHERD, 'why', ...args, '--json'];
  // Both streams in one: first the report, a JSON object, then the figures on the last line.
  const text = execFileSync('/bin/sh', ['-c', 'exec "$@" 2>&1', 'sh', PYTHON, '-c', MEASURE, ...command], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  const end = text.lastIndexOf('}') + 1;
  const [seconds = NaN, mib = NaN] = text.slice(end).trim().split(/\s+/).map(Number);
  return { report: JSON.parse(text.slice(0, end)) as WhyReport, seconds, mib };
}
