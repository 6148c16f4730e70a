/** Checks the command `perf` of this machine. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CowherdError, isSystemError } from '../../base/errors.ts';

/** The version of the kernel tree that it was built from. */
export type PerfVersion = readonly [major: number, minor: number];

/**
 * The oldest version with all options that are needed. By the tags of the kernel tree (tools/perf): `--control` with an
 * answer, which tells that a recording has begun (5.10); `--user-callchains` (5.4); `perf script --show-lost-events`
 * (4.17).
 */
const OLDEST: PerfVersion = [5, 10];

/** Parses `perf version 6.1.187`; null for any other text. */
export function parsePerfVersion(text: string): PerfVersion | null {
  const match = /^perf version (\d+)\.(\d+)/m.exec(text);
  return match === null ? null : [Number(match[1]), Number(match[2])];
}

/**
 * Makes sure that perf is installed and new enough.
 *
 * @throws CowherdError PERF_MISSING, PERF_TOO_OLD
 */
export async function requirePerf(): Promise<PerfVersion> {
  const text = await askVersion();
  const version = parsePerfVersion(text);
  if (version === null) throw new CowherdError('PERF_MISSING', { detail: firstLine(text) });
  const [major, minor] = version;
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw new CowherdError('PERF_TOO_OLD', { detail: `perf ${major}.${minor}` });
  }
  return version;
}

async function askVersion(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('perf', ['--version'], { encoding: 'utf8' });
    return stdout;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EACCES')) throw new CowherdError('PERF_MISSING', { cause: error });
    // Ubuntu's perf is a script that fails if the real one for the running kernel is not installed.
    const { stderr } = error as { stderr?: unknown };
    throw new CowherdError('PERF_MISSING', { detail: firstLine(String(stderr ?? error)), cause: error });
  }
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]?.trim().replace(/\.$/, '') ?? '';
}
