/**
 * The processes that a benchmark starts, and that all of them end with it: after a failure and after Ctrl-C too.
 *
 * Each one carries a mark in its environment, which its children inherit. So also a process that has left its parent
 * and its session is found. A process that has written its title over its environment, as setproctitle does, is found
 * by its session and by its parents. No other one is ever ended.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { isSystemError } from '../../src/base/errors.ts';
import type { ClockTicks } from '../../src/base/units.ts';
import { readKernelFile } from '../../src/procfs/read.ts';
import { type ProcessStat, readStat } from '../../src/procfs/stat.ts';

const MARK = 'COWHERD_BENCH';
const mark = randomUUID();
/** What stands in the environment of every process started here, and of its children. */
export const MARK_OF_STARTED = `${MARK}=${mark}`;

/** By its pid, which is its session's too; until it has ended: then another session may get the same number. */
const sessions = new Set<number>();
/** What was left of a session when the process that has begun it ended. */
const leftOfSessions: ProcessIdentity[] = [];

export interface StartedProcess {
  readonly child: ChildProcess;
  readonly pid: number;
}

export interface ProcessOptions {
  readonly cwd: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Names of the variables of this process that are passed on; all of them by default. */
  readonly passOn?: readonly string[];
  /** Gets what the process writes to stdout and stderr. */
  readonly log: string;
}

/** Starts a process in a session of its own. Throws the system's error when it can't be started. */
export function startProcess(command: string, args: readonly string[], options: ProcessOptions): StartedProcess {
  const { passOn } = options;
  const inherited =
    passOn === undefined
      ? process.env
      : Object.fromEntries(Object.entries(process.env).filter(([name]) => passOn.includes(name)));
  const descriptor = openSync(options.log, 'a');
  try {
    const child = spawn(command, args, {
      cwd: options.cwd,
      detached: true,
      stdio: ['ignore', descriptor, descriptor],
      env: { ...inherited, ...options.environment, [MARK]: mark },
    });
    child.on('error', () => {
      // The missing pid tells below; Node wants somebody to listen.
    });
    const { pid } = child;
    if (pid === undefined) throw new Error(`${command} can't be started`);
    sessions.add(pid);
    child.on('exit', () => {
      leftOfSessions.push(...aliveAmong(allStats().filter(({ session }) => session === pid)));
      sessions.delete(pid);
    });
    return { child, pid };
  } finally {
    closeSync(descriptor);
  }
}

/** A process, not to be taken for a later one of the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: ClockTicks;
}

/** Null where there is none any more. */
export function identify(pid: number): ProcessIdentity | null {
  const stat = readStat(pid);
  return stat === null ? null : { pid, startTime: stat.startTime };
}

/**
 * Whether a process has ended. A zombie has: it holds no memory and no socket, only its number, until its parent asks
 * for its status.
 */
export function hasEnded({ pid, startTime }: ProcessIdentity): boolean {
  const stat = readStat(pid);
  return stat === null || stat.startTime !== startTime || stat.state === 'Z' || stat.state === 'X';
}

/** Whether there is a process of this number that has not ended; a zombie has. */
export function isAlive(pid: number): boolean {
  const state = readStat(pid)?.state;
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** Processes whose parent is `parent`, in the order of their numbers. */
export function childrenOf(parent: number): number[] {
  return allPids().filter((pid) => readStat(pid)?.parentPid === parent);
}

/** `root` and everything below it that is alive. */
export function treeOf(root: number): ProcessIdentity[] {
  return aliveAmong(withDescendants(new Set([root]), allStats()));
}

/** Every process alive that this benchmark has started, and all that came of them. */
export function startedHere(): ProcessIdentity[] {
  const stats = allStats();
  const known = [...markedProcesses(MARK_OF_STARTED), ...leftOfSessions.filter((each) => !hasEnded(each))];
  const inSessions = stats.filter(({ session }) => sessions.has(session));
  return aliveAmong(withDescendants(new Set([...known, ...inSessions].map(({ pid }) => pid)), stats));
}

/**
 * What has been started since a look by `startedHere`. Children of those that were there then are theirs, as a
 * database's backends are, and belong to nothing that came later.
 */
export function startedSince(before: readonly ProcessIdentity[]): ProcessIdentity[] {
  const theirs = new Set(withDescendants(new Set(before.map(({ pid }) => pid)), allStats()).map(({ pid }) => pid));
  return startedHere().filter(({ pid }) => !theirs.has(pid));
}

/** Every process alive that has a line of this kind in its environment. */
export function markedProcesses(line: string): ProcessIdentity[] {
  return allPids()
    .filter((pid) => readEnvironment(pid).includes(line))
    .flatMap((pid) => identify(pid) ?? [])
    .filter((each) => !hasEnded(each));
}

/** Ends them at once. What one of them forks meanwhile is met in the next pass. */
export function endAllStarted(): void {
  for (let pass = 0; pass < 10; pass += 1) {
    const left = startedHere();
    if (left.length === 0) return;
    for (const { pid } of left) kill(pid, 'SIGKILL');
  }
}

/** Sends a signal; a process that is gone already is no error. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isSystemError(error, 'ESRCH')) throw error;
  }
}

function allStats(): ProcessStat[] {
  return allPids().flatMap((pid) => readStat(pid) ?? []);
}

function withDescendants(roots: ReadonlySet<number>, stats: readonly ProcessStat[]): ProcessStat[] {
  const found = new Set(roots);
  for (let before = 0; before !== found.size;) {
    before = found.size;
    for (const { pid, parentPid } of stats) if (found.has(parentPid)) found.add(pid);
  }
  return stats.filter(({ pid }) => found.has(pid));
}

function aliveAmong(stats: readonly ProcessStat[]): ProcessIdentity[] {
  return stats.map(({ pid, startTime }) => ({ pid, startTime })).filter((each) => !hasEnded(each));
}

function allPids(): number[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

function readEnvironment(pid: number): string[] {
  try {
    return (readKernelFile(`/proc/${pid}/environ`) ?? '').split('\0');
  } catch {
    // Another user's process: not ours.
    return [];
  }
}
