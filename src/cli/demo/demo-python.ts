/** The demo's first lines: its interpreter, and which heap policy that supports. */
import { LADDER } from '../../cpython/policy-ladder.ts';
import { availablePolicies, whyNot } from '../../cpython/policies.ts';
import { compareVersions, type Interpreter, interpreterName } from '../../cpython/interpreter.ts';

const FIRST_WITH_IMMORTAL = [3, 12, 0] as const;

/**
 * @param why how it was chosen: "from .venv in /srv/cowherd"
 */
export function pythonLines(interpreter: Interpreter, why: string): string[] {
  const [highest = 'none'] = availablePolicies(interpreter);
  const lines = [
    `Python: ${interpreterName(interpreter)}, ${interpreter.path} (${why})`,
    `Highest heap policy that it allows: ${highest}`,
  ];
  const [{ name: best }] = LADDER;
  const reason = whyNot(best, interpreter);
  if (reason === null) return lines;
  lines.push(`The heap policy ${best} is not possible: ${reason}.`);
  if (compareVersions(interpreter.version, FIRST_WITH_IMMORTAL) < 0) {
    lines.push('With CPython 3.12 to 3.14 installed, `make demo` takes the newest that it finds.');
  }
  return lines;
}
