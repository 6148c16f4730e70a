/**
 * The processes that a benchmark starts. All of them end with it, even after a failure or Ctrl-C.
 *
 * Each one carries a mark in its environment, which its children inherit. So a process that has left its parent and its
 * session is found as well. A process that has overwritten its environment with its title, as setproctitle does, is
 * found by its session and its parents. No other process is ever ended.
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
/** The line in the environment of every process started here, and of its children. */
export const MARK_OF_STARTED = `${MARK}=${mark}`;

/** Pids of the session leaders started here. One that ends is removed: another session may get its number. */
const sessions = new Set<number>();
/** Processes that were still in a session when its leader ended. */
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
  /** File for stdout and stderr of the process. */
  readonly log: string;
}

/** Starts a process in a new session. Throws the system's error if it can't be started. */
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
      // The missing pid below reports it; Node requires a listener.
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

/** A process, identified so that a later one with the same pid is not mistaken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: ClockTicks;
}

/** Null if there is no such process any more. */
export function identify(pid: number): ProcessIdentity | null {
  const stat = readStat(pid);
  return stat === null ? null : { pid, startTime: stat.startTime };
}

/**
 * Whether a process has ended. A zombie counts as ended: it holds no memory and no socket, only its pid, until its
 * parent asks for its status.
 */
export function hasEnded({ pid, startTime }: ProcessIdentity): boolean {
  const stat = readStat(pid);
  return stat === null || stat.startTime !== startTime || stat.state === 'Z' || stat.state === 'X';
}

/** Whether a process with this pid has not ended. A zombie counts as ended. */
export function isAlive(pid: number): boolean {
  const state = readStat(pid)?.state;
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** Pids of the children of `parent`, ascending. */
export function childrenOf(parent: number): number[] {
  return allPids().filter((pid) => readStat(pid)?.parentPid === parent);
}

/** `root` and its descendants that are alive. */
export function treeOf(root: number): ProcessIdentity[] {
  return aliveAmong(withDescendants(new Set([root]), allStats()));
}

/** Every live process that this benchmark has started, with all descendants. */
export function startedHere(): ProcessIdentity[] {
  const stats = allStats();
  const known = [...markedProcesses(MARK_OF_STARTED), ...leftOfSessions.filter((each) => !hasEnded(each))];
  const inSessions = stats.filter(({ session }) => sessions.has(session));
  return aliveAmong(withDescendants(new Set([...known, ...inSessions].map(({ pid }) => pid)), stats));
}

/**
 * Processes started since an earlier `startedHere`. New children of processes that existed then don't count, such as a
 * database's backends.
 */
export function startedSince(before: readonly ProcessIdentity[]): ProcessIdentity[] {
  const theirs = new Set(withDescendants(new Set(before.map(({ pid }) => pid)), allStats()).map(({ pid }) => pid));
  return startedHere().filter(({ pid }) => !theirs.has(pid));
}

/** Every live process that has this line in its environment. */
export function markedProcesses(line: string): ProcessIdentity[] {
  return allPids()
    .filter((pid) => readEnvironment(pid).includes(line))
    .flatMap((pid) => identify(pid) ?? [])
    .filter((each) => !hasEnded(each));
}

/** Kills everything started here. The next pass catches what a process forks meanwhile. */
export function endAllStarted(): void {
  for (let pass = 0; pass < 10; pass += 1) {
    const left = startedHere();
    if (left.length === 0) return;
    for (const { pid } of left) kill(pid, 'SIGKILL');
  }
}

/** Sends a signal. A process that has already ended is no error. */
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
    // Another user's process, not ours.
    return [];
  }
}
