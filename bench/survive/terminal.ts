/** A terminal in which a server is started, and which is closed while the server runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { hasEnded, identify, kill, type ProcessIdentity, type ProcessOptions, startProcess } from '../lib/processes.ts';

/**
 * The shell leads the session, so that the hangup goes to the shell and not to the server, which would take the SIGHUP
 * for a reload.
 */
const SHELL = `trap : HUP; "$@"`;

export class Terminal {
  readonly #script: ProcessIdentity;

  private constructor(script: ProcessIdentity) {
    this.#script = script;
  }

  /** Runs a command in a terminal. Its output goes to the log while the terminal is open. */
  static run(command: readonly string[], options: ProcessOptions): Terminal {
    const inShell = ['sh', '-c', SHELL, 'sh', ...command].map(quoted).join(' ');
    const args = ['--quiet', '--return', '--flush', '--command', `exec ${inShell}`, '/dev/null'];
    const { pid } = startProcess('script', args, {
      ...options,
      environment: { ...options.environment, TERM: 'xterm', SHELL: '/bin/sh' },
    });
    const script = identify(pid);
    if (script === null) throw new Error('script has ended at once');
    return new Terminal(script);
  }

  get pid(): number {
    return this.#script.pid;
  }

  get isOpen(): boolean {
    return !hasEnded(this.#script);
  }

  /** Closes the terminal, like closing its window. */
  async close(): Promise<void> {
    kill(this.#script.pid, 'SIGKILL');
    while (this.isOpen) await sleep(1);
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\\''`)}'`;
}
