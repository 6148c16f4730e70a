/**
 * Which heap policies an interpreter can have: the gates of the agent (agent/cowherd_agent/heap/interpreter.py,
 * `why_not`), known here too so that `cowherd doctor` can tell them without running the agent in each interpreter.
 * A test compares the two over all builds.
 */
import { type Build, compareVersions, interpreterName, OLDEST_PYTHON } from './interpreter.ts';

/** Highest rung of the ladder first; `auto` is the choice among them. */
export const POLICIES = ['immortal', 'freeze', 'instagram', 'stock'] as const;
export type PolicyName = (typeof POLICIES)[number];

/** Immortal objects: PEP 683. */
const OLDEST_IMMORTAL = [3, 12, 0] as const;
/** The newest minor version whose object layout was checked. */
const NEWEST_IMMORTAL = [3, 15] as const;

/** Why the build can't have the policy; null if it can. What only a run can tell (the self-test) is not in here. */
export function whyNot(policy: PolicyName, build: Build): string | null {
  if (build.hugePages) {
    return (
      "pymalloc's huge pages are on, and a forked child can be killed by SIGBUS when it copies one; " +
      'unset PYTHON_PYMALLOC_HUGEPAGES'
    );
  }
  if (policy === 'stock') return null;
  const name = interpreterName(build);
  if (build.implementation !== 'cpython') return `it needs CPython, and this is ${name}`;
  if (build.freeThreaded) return `it needs the GIL build, and this is ${name}`;
  if (compareVersions(build.version, OLDEST_PYTHON) < 0) return `it needs CPython 3.10 or newer, and this is ${name}`;
  if (policy !== 'immortal') return null;
  if (compareVersions(build.version, OLDEST_IMMORTAL) < 0) return `it needs CPython 3.12 or newer, and this is ${name}`;
  if (compareVersions(build.version.slice(0, 2), NEWEST_IMMORTAL) > 0) {
    return `the layout of objects is known up to CPython ${NEWEST_IMMORTAL.join('.')}; this is ${name}`;
  }
  if (build.debug) return 'a debug build asserts on reference counts';
  if (build.pointerBytes !== 8 || !build.littleEndian) return 'it needs a 64-bit little-endian machine';
  return null;
}

/** The policies that the build can have, highest first. Empty for an interpreter that Cowherd does not run on. */
export function availablePolicies(build: Build): PolicyName[] {
  if (compareVersions(build.version, OLDEST_PYTHON) < 0) return [];
  return POLICIES.filter((policy) => whyNot(policy, build) === null);
}
