/**
 * The findings of `cowherd doctor` as data, in the format of `doctor --json` (docs/doctor.md): sizes in bytes, and
 * names with underscores, as in `status --json`.
 */
import { accessSync, constants, existsSync, rmdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { CowherdError, type ErrorCode } from '../../base/errors.ts';
import { bytes } from '../../base/units.ts';
import { discover, findInterpreter } from '../../cpython/discover.ts';
import {
  compareVersions,
  gunicornInstallLine,
  gunicornIsNewEnough,
  type Interpreter,
  interpreterName,
  OLDEST_PYTHON,
  probe,
} from '../../cpython/interpreter.ts';
import { availablePolicies, POLICIES, type PolicyName, whyNot } from '../../cpython/policies.ts';
import { type CgroupMemory, ownMemoryCgroup, readCgroupMemory } from '../../procfs/cgroup.ts';
import { readKernelFacts } from '../../procfs/kernel.ts';
import { readMeminfo } from '../../procfs/meminfo.ts';
import { KsmSwitch } from '../../supervisor/ksm/ksm-switch.ts';
import {
  readRuntimeEnvironment,
  runtimeBase,
  runtimeDirectoryFor,
} from '../../supervisor/runtime-directory/runtime-directory.ts';
import { prepareRuntimeDirectory, removeRuntimeFiles } from '../../supervisor/runtime-directory/runtime-folder.ts';
import { type Check, checks } from './doctor-checks.ts';

export const DOCTOR_VERSION = 1;

export interface InterpreterReport {
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly implementation: string;
  readonly free_threaded: boolean;
  /** Highest first; empty if the interpreter is too old for Cowherd. */
  readonly policies: readonly PolicyName[];
  /** For each other policy, why the interpreter does not support it. */
  readonly unavailable: Readonly<Record<string, string>>;
  readonly gunicorn: string | null;
  readonly gunicorn_usable: boolean;
  /** The command line that installs a usable gunicorn; null if there is one, or if the interpreter is too old. */
  readonly install_gunicorn: string | null;
}

export interface Problem {
  readonly code: ErrorCode;
  readonly exit_status: number;
  readonly text: string;
  readonly advice: string;
}

export interface DoctorReport {
  readonly version: typeof DOCTOR_VERSION;
  readonly machine: {
    readonly kernel: string;
    readonly node: string;
    readonly cpus: number;
    readonly memory_total: number;
    readonly memory_available: number;
    readonly cgroup: {
      readonly version: 1 | 2;
      readonly limit: number | null;
      readonly current: number;
      readonly oom_kills: number;
    } | null;
  };
  readonly project: {
    readonly folder: string;
    /** The interpreter that `cowherd serve` would choose, and why; null if it finds none. */
    readonly interpreter: InterpreterReport | null;
    readonly why: string | null;
  };
  readonly interpreters: readonly InterpreterReport[];
  readonly checks: readonly Check[];
  /** Problems that keep `cowherd serve` from working here; empty if it would start. */
  readonly problems: readonly Problem[];
}

export interface DoctorQuestion {
  readonly python: string | null;
  readonly chdir: string | null;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export async function examine(question: DoctorQuestion): Promise<DoctorReport> {
  const { python, chdir, cwd, env } = question;
  const problems: CowherdError[] = [];
  const [found, choice] = await Promise.all([
    discover(env),
    findInterpreter({ python, projectFolder: chdir, cwd, env }).catch((error: unknown) => {
      if (!(error instanceof CowherdError)) throw error;
      problems.push(error);
      return null;
    }),
  ]);
  const chosen =
    choice === null
      ? null
      : (found.find((interpreter) => interpreter.path === choice.path) ?? (await probe(choice.path)));
  if (choice !== null && chosen === null) problems.push(new CowherdError('PYTHON_NOT_FOUND', { detail: choice.path }));
  if (chosen !== null) problems.push(...problemsOf(chosen));

  const cgroup = readOwnCgroup();
  const memory = readMeminfo();
  const kernel = readKernelFacts();
  const runtime = tryRuntimeDirectory();
  if (runtime.problem !== null) problems.push(runtime.problem);
  if (process.platform !== 'linux') problems.push(new CowherdError('NOT_LINUX', { detail: process.platform }));
  return {
    version: DOCTOR_VERSION,
    machine: {
      kernel: kernel.release,
      node: process.versions.node,
      cpus: availableParallelism(),
      memory_total: memory?.total ?? 0,
      memory_available: memory?.available ?? 0,
      cgroup: cgroup?.report ?? null,
    },
    project: {
      folder: path.resolve(cwd, chdir ?? '.'),
      interpreter: chosen === null ? null : interpreterReport(chosen),
      why: choice?.why ?? null,
    },
    interpreters: found.map(interpreterReport),
    checks: checks({
      platform: process.platform,
      kernel,
      perfCommand: isOnPath('perf', env),
      cgroup: cgroup?.memory ?? null,
      memoryAvailable: memory?.available ?? bytes(0),
      ksmLeftOn: new KsmSwitch().leftBehind().length > 0,
      runtimeDirectory: { path: runtime.path, problem: runtime.problem?.detail ?? runtime.problem?.title ?? null },
    }),
    problems: problems.map(({ code, exitStatus, title, detail, advice }) => ({
      code,
      exit_status: exitStatus,
      text: detail === null ? title : `${title}: ${detail}`,
      advice,
    })),
  };
}

/** The cgroup that limits the memory of this process; null if there is none, or it can't be read. */
function readOwnCgroup(): { memory: CgroupMemory; report: DoctorReport['machine']['cgroup'] } | null {
  const cgroup = ownMemoryCgroup();
  const memory = cgroup === null ? null : readCgroupMemory(cgroup);
  if (cgroup === null || memory === null) return null;
  const { limit, current, oomKills } = memory;
  return { memory, report: { version: cgroup.version, limit, current, oom_kills: oomKills } };
}

/** Problems that keep an interpreter from serving. */
export function problemsOf(interpreter: Interpreter): CowherdError[] {
  if (compareVersions(interpreter.version, OLDEST_PYTHON) < 0) {
    return [new CowherdError('PYTHON_TOO_OLD', { detail: `${interpreter.path} is ${interpreterName(interpreter)}` })];
  }
  const advice = `Install it there: ${gunicornInstallLine(interpreter)}`;
  if (interpreter.gunicorn === null) return [new CowherdError('NO_GUNICORN', { detail: interpreter.path, advice })];
  if (gunicornIsNewEnough(interpreter.gunicorn)) return [];
  return [
    new CowherdError('GUNICORN_TOO_OLD', { detail: `gunicorn ${interpreter.gunicorn} in ${interpreter.path}`, advice }),
  ];
}

export function interpreterReport(interpreter: Interpreter): InterpreterReport {
  const policies = availablePolicies(interpreter);
  const reasons = POLICIES.filter((policy) => !policies.includes(policy)).map((policy) => [
    policy,
    whyNot(policy, interpreter) ?? `Cowherd needs Python ${OLDEST_PYTHON.slice(0, 2).join('.')} or newer`,
  ]);
  const usable = interpreter.gunicorn !== null && gunicornIsNewEnough(interpreter.gunicorn);
  return {
    path: interpreter.path,
    name: interpreterName(interpreter),
    version: interpreter.version.join('.'),
    implementation: interpreter.implementation,
    free_threaded: interpreter.freeThreaded,
    policies,
    unavailable: Object.fromEntries(reasons),
    gunicorn: interpreter.gunicorn,
    gunicorn_usable: usable,
    install_gunicorn: usable || policies.length === 0 ? null : gunicornInstallLine(interpreter),
  };
}

/** Creates a runtime directory in the usual place, with all its checks, and removes it again. */
function tryRuntimeDirectory(): { path: string; problem: CowherdError | null } {
  const base = runtimeBase(readRuntimeEnvironment());
  const existed = existsSync(base);
  const directory = runtimeDirectoryFor(undefined, `doctor-${process.pid}`);
  try {
    prepareRuntimeDirectory(directory);
    return { path: base, problem: null };
  } catch (error) {
    if (!(error instanceof CowherdError)) throw error;
    return { path: base, problem: error };
  } finally {
    if (existsSync(directory)) removeRuntimeFiles(directory);
    if (!existed && existsSync(base)) rmdirSync(base);
  }
}

function isOnPath(command: string, env: DoctorQuestion['env']): boolean {
  return (env['PATH'] ?? '').split(':').some((folder) => {
    try {
      accessSync(path.join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
