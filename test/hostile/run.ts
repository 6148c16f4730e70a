/**
 * `make test-hostile`: what an attacker in a worker, and another user of the machine, can do to the herd, to the host
 * and to users who run commands there. ATTACKS="a list;no type" chooses attacks.
 *
 * FUZZ_ROUNDS=100 sends more generated messages, FUZZ_SEED=N repeats those of an earlier run. The last line is one JSON
 * object. The exit status is 1 if anything did not hold. Everything ends with this process.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { attackCommand } from './command.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');

if (process.getuid?.() !== 0) {
  console.error('test-hostile: it needs root, for namespaces and for workers of another user');
  process.exit(1);
}
const names = (process.env['ATTACKS'] ?? '').split(';').filter((name) => name !== '');
const [command = '', ...words] = attackCommand(path.join(ROOT, '.venv', 'bin', 'python'), names);
const { status } = spawnSync(command, words, { cwd: ROOT, stdio: 'inherit' });
process.exit(status ?? 1);
