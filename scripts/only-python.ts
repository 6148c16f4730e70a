/**
 * `node --import tsx scripts/only-python.ts [--ordinary] PYTHON COMMAND [ARGUMENT...]`: runs a command in a fresh clone
 * of the checkout, as on a machine whose only Python is PYTHON. See pythons/only-python.ts.
 */
import process from 'node:process';
import { runWithOnlyPython } from './pythons/only-python.ts';

const args = process.argv.slice(2);
const ordinary = args[0] === '--ordinary';
const [python, ...command] = ordinary ? args.slice(1) : args;
if (python === undefined || command.length === 0) {
  console.error('usage: only-python.ts [--ordinary] PYTHON COMMAND [ARGUMENT...]');
  process.exit(2);
}
const { status, leftBehind } = await runWithOnlyPython({ python, ordinary, command });
for (const each of leftBehind) console.error(`left behind: ${each}`);
process.exitCode = leftBehind.length > 0 ? 1 : status;
