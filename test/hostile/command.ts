/** The command that runs the attacks. */
import path from 'node:path';

/** In a process, a mount and a network namespace of their own, where the worst costs nothing but decoys. */
export function attackCommand(python: string, names: readonly string[]): string[] {
  const inside = [process.execPath, '--import', 'tsx', path.join(import.meta.dirname, 'inside.ts'), python, ...names];
  const script = 'ip link set lo up && exec "$@"';
  return ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', '--net', 'sh', '-c', script, 'sh', ...inside];
}
