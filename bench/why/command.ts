/** `cowherd why`, run as a person does, and what it took. */
import { execFileSync } from 'node:child_process';
import type { WhyReport } from '../../src/forensics/answer/report.ts';
import { COWHERD, PYTHON } from '../lib/places.ts';

export interface Asked {
  readonly report: WhyReport;
  /** Of the command, from its start to its end. */
  readonly seconds: number;
  /** The most that it had resident. */
  readonly mib: number;
}

/** Node tells nothing of a child's memory; getrusage(2) does. */
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
  // Both streams in one: a report is an object, the figures follow on the last line.
  const text = execFileSync('/bin/sh', ['-c', 'exec "$@" 2>&1', 'sh', PYTHON, '-c', MEASURE, ...command], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  const end = text.lastIndexOf('}') + 1;
  const [seconds = NaN, mib = NaN] = text.slice(end).trim().split(/\s+/).map(Number);
  return { report: JSON.parse(text.slice(0, end)) as WhyReport, seconds, mib };
}
