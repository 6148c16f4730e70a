/** Asks an interpreter in one short run what it is: its version, build, and gunicorn. */
import { execFile } from 'node:child_process';
import * as v from 'valibot';

export type Version = readonly [major: number, minor: number, patch: number];

/** The build of an interpreter, which decides which heap policies it supports (agent: interpreter/interpreter.py). */
export interface Build {
  /** `sys.implementation.name`: "cpython", "pypy". */
  readonly implementation: string;
  readonly version: Version;
  readonly freeThreaded: boolean;
  readonly debug: boolean;
  readonly pointerBytes: number;
  readonly littleEndian: boolean;
  /** pymalloc uses huge pages (3.15 and newer, if both the build and the environment ask for them). */
  readonly hugePages: boolean;
}

export interface Interpreter extends Build {
  readonly path: string;
  /** `sys.prefix`: the same for all names of one installation or virtual environment. */
  readonly prefix: string;
  /** Neither alpha, beta nor release candidate. */
  readonly final: boolean;
  /** The version of gunicorn that it would import; null if it has none. */
  readonly gunicorn: string | null;
  /** Whether it has pip. */
  readonly pip: boolean;
}

export const OLDEST_PYTHON: Version = [3, 10, 0];
export const OLDEST_GUNICORN = 23;

/**
 * Prints one line of JSON. Runs on Python 3.3 and newer. gunicorn's version is read from its metadata beside the
 * package: `importlib.metadata` would do that, but takes 30 ms more to import.
 */
const PROBE = `
import importlib.util, json, os, re, struct, sys, sysconfig
def packaged(name):
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.origin:
        return None
    folder = os.path.dirname(os.path.dirname(spec.origin))
    for entry in os.listdir(folder):
        match = re.match(re.escape(name) + r"-(.+)[.](dist-info|egg-info)$", entry)
        if match:
            return match.group(1)
    return "0"
def huge_pages():
    if sys.version_info < (3, 15) or not sysconfig.get_config_var("PYMALLOC_USE_HUGEPAGES"):
        return False
    return os.environ.get("PYTHON_PYMALLOC_HUGEPAGES", "") not in ("", "0")
abiflags = getattr(sys, "abiflags", "")
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": list(sys.version_info[:3]),
    "freeThreaded": "t" in abiflags or "free-threading" in sys.version,
    "debug": hasattr(sys, "gettotalrefcount") or "d" in abiflags,
    "pointerBytes": struct.calcsize("P"),
    "littleEndian": sys.byteorder == "little",
    "hugePages": huge_pages(),
    "prefix": sys.prefix,
    "final": sys.version_info[3] == "final",
    "gunicorn": packaged("gunicorn"),
    "pip": importlib.util.find_spec("pip") is not None,
}))
`;

const number = v.pipe(v.number(), v.integer(), v.minValue(0));

/** What {@link PROBE} prints. */
const answer: v.GenericSchema<unknown, Omit<Interpreter, 'path'>> = v.object({
  implementation: v.string(),
  version: v.strictTuple([number, number, number]),
  freeThreaded: v.boolean(),
  debug: v.boolean(),
  pointerBytes: number,
  littleEndian: v.boolean(),
  hugePages: v.boolean(),
  prefix: v.string(),
  final: v.boolean(),
  gunicorn: v.nullable(v.string()),
  pip: v.boolean(),
});

/** An interpreter that hangs (a broken shim, a network file system) must not hang the command. */
const PROBE_TIMEOUT_MS = 10_000;

/** Asks the program at `path` what it is; null if it is not a working Python 3. */
export async function probe(path: string): Promise<Interpreter | null> {
  const output = await new Promise<string | null>((resolve) => {
    // Runs in the root directory, since `-c` puts the current directory first on sys.path.
    execFile(path, ['-c', PROBE], { cwd: '/', timeout: PROBE_TIMEOUT_MS, killSignal: 'SIGKILL' }, (error, stdout) =>
      resolve(error === null ? stdout : null),
    );
  });
  return output === null ? null : interpreterIn(path, output);
}

/** The interpreter at `path`, from what it has printed; null if that is not what the probe prints. Pure. */
export function interpreterIn(path: string, output: string): Interpreter | null {
  try {
    return { path, ...v.parse(answer, JSON.parse(output)) };
  } catch {
    return null;
  }
}

export function compareVersions(left: readonly number[], right: readonly number[]): number {
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** `"CPython 3.13.0"` or `"free-threaded CPython 3.14.1"`, the same as the agent's `Interpreter.name`. */
export function interpreterName(build: Build): string {
  const pretty: Readonly<Record<string, string>> = { cpython: 'CPython', pypy: 'PyPy', graalpy: 'GraalPy' };
  const words = [pretty[build.implementation] ?? build.implementation, build.version.join('.')];
  if (build.debug) words.unshift('debug');
  if (build.freeThreaded) words.unshift('free-threaded');
  return words.join(' ');
}

/** Whether a version of gunicorn is supported: 23 and up. */
export function gunicornIsNewEnough(version: string): boolean {
  return Number.parseInt(version, 10) >= OLDEST_GUNICORN;
}

/** The exact command line that installs a supported gunicorn into an interpreter. */
export function gunicornInstallLine(interpreter: Pick<Interpreter, 'path' | 'pip'>): string {
  const install = `${interpreter.path} -m pip install --upgrade 'gunicorn>=${OLDEST_GUNICORN}'`;
  return interpreter.pip ? install : `${interpreter.path} -m ensurepip && ${install}`;
}
