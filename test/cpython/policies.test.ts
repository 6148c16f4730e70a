/** The gates of the heap policies are known on both sides: they must be the same, word for word. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';
import { discover } from '../../src/cpython/discover.ts';
import { type Build, compareVersions, OLDEST_PYTHON, type Version } from '../../src/cpython/interpreter.ts';
import { availablePolicies, POLICIES, whyNot } from '../../src/cpython/policies.ts';

const agentFolder = path.resolve(import.meta.dirname, '../../agent');

const builds: Build[] = [];
const versions: Version[] = [
  [3, 9, 18],
  [3, 10, 0],
  [3, 11, 7],
  [3, 12, 0],
  [3, 13, 0],
  [3, 14, 4],
  [3, 15, 0],
  [3, 16, 0],
];
for (const version of versions) {
  const build: Build = {
    implementation: 'cpython',
    version,
    freeThreaded: false,
    debug: false,
    pointerBytes: 8,
    littleEndian: true,
    hugePages: false,
  };
  builds.push(
    build,
    { ...build, implementation: 'pypy' },
    { ...build, freeThreaded: true },
    { ...build, debug: true },
    { ...build, pointerBytes: 4 },
    { ...build, littleEndian: false },
    { ...build, hugePages: true },
  );
}

const ASK_AGENT = `
import json, sys
from cowherd_agent.interpreter.interpreter import Interpreter, why_not
answers = []
for build in json.load(sys.stdin):
    interpreter = Interpreter(
        implementation=build["implementation"], version=tuple(build["version"]),
        free_threaded=build["freeThreaded"], debug=build["debug"], pointer_bytes=build["pointerBytes"],
        little_endian=build["littleEndian"], huge_pages=build["hugePages"],
    )
    answers.append({policy: why_not(policy, interpreter) for policy in ("immortal", "freeze", "instagram", "stock")})
print(json.dumps(answers))
`;

test('the agent gives the same answers for every build and policy', async () => {
  const interpreter = (await discover(process.env)).find(
    ({ version }) => compareVersions(version, OLDEST_PYTHON) >= 0,
  )!;
  const output = execFileSync(interpreter.path, ['-c', ASK_AGENT], {
    input: JSON.stringify(builds),
    env: { ...process.env, PYTHONPATH: agentFolder, PYTHONDONTWRITEBYTECODE: '1' },
    encoding: 'utf8',
  });
  const ours = builds.map((build) => Object.fromEntries(POLICIES.map((policy) => [policy, whyNot(policy, build)])));
  expect(JSON.parse(output)).toEqual(ours);
});

test('the ladder of some builds', () => {
  const [old, ,] = builds;
  expect(availablePolicies(old!)).toEqual([]);
  const at = (version: string, more: Partial<Build> = {}): string[] => {
    const build = builds.find((candidate) => candidate.version.join('.') === version)!;
    return availablePolicies({ ...build, ...more });
  };
  expect(at('3.10.0')).toEqual(['freeze', 'instagram', 'stock']);
  expect(at('3.13.0')).toEqual(['immortal', 'freeze', 'instagram', 'stock']);
  expect(at('3.14.4', { freeThreaded: true })).toEqual(['stock']);
  expect(at('3.16.0')).toEqual(['freeze', 'instagram', 'stock']);
});
