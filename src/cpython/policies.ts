/**
 * Which heap policies an interpreter supports, so that `cowherd doctor` can tell without running the agent in each
 * interpreter. The ladder and its needs come from the agent's table; a test compares both answers for all builds.
 */
import { type Build, compareVersions, interpreterName, OLDEST_PYTHON } from './interpreter.ts';
import { LADDER, REASONS } from './policy-ladder.ts';

export type PolicyName = (typeof LADDER)[number]['name'];

/** The highest rung of the ladder first; `auto` chooses among them. */
export const POLICIES: readonly PolicyName[] = LADDER.map(({ name }) => name);

/** Why the build does not support the policy; null if it does. The self-test, which needs a run, is not included. */
export function whyNot(policy: PolicyName, build: Build): string | null {
  const rung = LADDER.find(({ name }) => name === policy);
  for (const need of rung?.needs ?? []) {
    const version = need === 'newest' ? rung?.newest : rung?.oldest;
    if (isMet(need, build, version ?? null)) continue;
    return REASONS[need]
      .replace('{interpreter}', interpreterName(build))
      .replace('{version}', (version ?? []).join('.'));
  }
  return null;
}

function isMet(need: keyof typeof REASONS, build: Build, version: readonly number[] | null): boolean {
  const minor = build.version.slice(0, 2);
  switch (need) {
    case 'no_huge_pages':
      return !build.hugePages;
    case 'cpython':
      return build.implementation === 'cpython';
    case 'gil':
      return !build.freeThreaded;
    case 'release':
      return !build.debug;
    case '64_bit':
      return build.pointerBytes === 8 && build.littleEndian;
    case 'oldest':
      return version === null || compareVersions(minor, version) >= 0;
    case 'newest':
      break;
  }
  return version === null || compareVersions(minor, version) <= 0;
}

/** The policies that the build supports, the highest first. Empty for an interpreter that Cowherd does not run on. */
export function availablePolicies(build: Build): PolicyName[] {
  if (compareVersions(build.version, OLDEST_PYTHON) < 0) return [];
  return POLICIES.filter((policy) => whyNot(policy, build) === null);
}
