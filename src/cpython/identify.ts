/**
 * Which interpreter a running process has, from the names of its files and from what stands in them; pure.
 *
 * Sources: Python/getversion.c and Include/patchlevel.h: PY_VERSION ("3.13.0", "3.15.0a2+") is a string of its own in the
 * read-only data, whether the interpreter is a program, a library or linked into another server, stripped or not. A
 * free-threaded build has the words "free-threading build" in the format of its `sys.version` (3.13 and newer).
 */

export interface FoundInterpreter {
  readonly implementation: 'cpython' | 'pypy';
  /** Of Python 3. */
  readonly minor: number;
  /** As it stands there: "3.13.0". */
  readonly version: string;
  readonly freeThreaded: boolean;
}

const PYTHON_FILE = /(?:^|\/)(?:lib)?(python|pypy)\d?[^/]*$/;
const VERSION = /\0(3\.(\d{1,2})\.\d{1,3}(?:(?:a|b|rc)\d{1,2})?\+?)\0/;

/**
 * Files in which an interpreter may be, the likeliest first: those that are called like one, then the program itself.
 *
 * @param paths of all executable mappings, in their order
 * @param program the path of the program
 */
export function interpreterFiles(paths: readonly string[], program: string): string[] {
  const distinct = [...new Set(paths)].filter((path) => path.startsWith('/'));
  const named = distinct.filter((path) => PYTHON_FILE.test(path) && !path.endsWith('/libpython3.so'));
  // A library first: the program in front of it has none of the interpreter.
  const libraries = named.filter((path) => /\.so(?:\.|$)/.test(path));
  return [...new Set([...libraries, ...named, program])];
}

/** What a stretch of a file's read-only data says; null where it says nothing. `text` is latin1. */
export function interpreterIn(path: string, text: string): FoundInterpreter | null {
  const match = VERSION.exec(text);
  if (match === null) return null;
  const [, version = '', minor] = match;
  return {
    implementation: /pypy[^/]*$/.test(path) || text.includes('[PyPy ') ? 'pypy' : 'cpython',
    minor: Number(minor),
    version,
    freeThreaded: text.includes('free-threading build') || /python3\.\d+t(?:\.so.*)?$/.test(path),
  };
}
