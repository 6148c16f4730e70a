/**
 * Identifies the interpreter of a running process from the names and contents of its files; pure.
 *
 * Sources: Python/getversion.c and Include/patchlevel.h: PY_VERSION ("3.13.0", "3.15.0a2+") is a string in the
 * read-only data, whether the interpreter is a program, a library or linked into another server, stripped or not.
 * Linkers may merge it into the end of another string, such as the directory it is installed in. A free-threaded build
 * has the words "free-threading build" in the format of its `sys.version` (3.13 and newer).
 */

export interface FoundInterpreter {
  readonly implementation: 'cpython' | 'pypy';
  /** The minor version of Python 3. */
  readonly minor: number;
  /** The string found: "3.13.0". */
  readonly version: string;
  readonly freeThreaded: boolean;
}

const PYTHON_FILE = /(?:^|\/)(?:lib)?(python|pypy)\d?[^/]*$/;
const VERSION = /[\0/-](3\.(\d{1,2})\.\d{1,3}(?:(?:a|b|rc)\d{1,2})?\+?)\0/g;
const MINOR_IN_NAME = /(?:python|pypy)3\.(\d{1,2})[^/]*$/;
/** Lower minors don't count: every interpreter contains "3.2.0", the version of the old Unicode data. */
const OLDEST_MINOR = 6;

/**
 * Files that may contain an interpreter, the likeliest first: files named like one, then the program itself.
 *
 * @param paths the paths of all executable mappings, in their order
 * @param program the path of the program
 */
export function interpreterFiles(paths: readonly string[], program: string): string[] {
  const distinct = [...new Set(paths)].filter((path) => path.startsWith('/'));
  const named = distinct.filter((path) => PYTHON_FILE.test(path) && !path.endsWith('/libpython3.so'));
  // Libraries come first: a program linked with libpython contains nothing of the interpreter.
  const libraries = named.filter((path) => /\.so(?:\.|$)/.test(path));
  return [...new Set([...libraries, ...named, program])];
}

/** The minor version in the name of an interpreter's file; null if it has none. */
export function minorInName(path: string): number | null {
  const match = MINOR_IN_NAME.exec(path);
  return match === null ? null : Number(match[1]);
}

/** The interpreter whose version a stretch of a file's read-only data contains, or null. `text` is latin1. */
export function interpreterIn(path: string, text: string): FoundInterpreter | null {
  const named = minorInName(path);
  const match = [...text.matchAll(VERSION)].find(([, , minor]) =>
    named === null ? Number(minor) >= OLDEST_MINOR : Number(minor) === named,
  );
  return match === undefined ? null : found(path, Number(match[2]), match[1] ?? '', text);
}

/** The interpreter by its file's name alone, if its data can't be read. */
export function interpreterByName(path: string): FoundInterpreter | null {
  const minor = minorInName(path);
  return minor === null ? null : found(path, minor, `3.${minor}`, '');
}

/** Whether a stretch of an interpreter's data contains the words of a free-threaded build. */
export function saysFreeThreaded(text: string): boolean {
  return text.includes('free-threading build');
}

function found(path: string, minor: number, version: string, text: string): FoundInterpreter {
  return {
    implementation: /pypy[^/]*$/.test(path) || text.includes('[PyPy ') ? 'pypy' : 'cpython',
    minor,
    version,
    freeThreaded: saysFreeThreaded(text) || /python3\.\d+t(?:\.so.*)?$/.test(path),
  };
}
