/** Sends the supervisor's lines to syslog through a Python process (agent/cowherd_agent/logs/syslog_relay.py). */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SyslogTarget } from '../../agent/messages.ts';
import { LAUNCHER } from '../../base/installation.ts';

/** The last lines are sent within milliseconds. A syslog that accepts none must not delay the supervisor. */
const LAST_LINES_MS = 1000;

export class SyslogRelay {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  /** @param onFailed called once when no more lines will arrive */
  constructor(python: string, target: SyslogTarget, onFailed: () => void) {
    // In a session of its own, since only the supervisor handles a Ctrl-C on the terminal.
    this.#child = spawn(python, ['-I', LAUNCHER, 'syslog', JSON.stringify(target)], {
      detached: true,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    this.#ended = new Promise((resolve) => {
      const end = (status: number | null | Error): void => {
        if (status !== 0) onFailed();
        resolve();
      };
      this.#child.once('exit', end);
      this.#child.once('error', end);
    });
    // The relay has ended, which its exit reports.
    this.#child.stdin?.on('error', () => {});
    this.#child.unref();
  }

  /** @param line JSON, with its newline */
  write(line: string): void {
    if (this.#child.stdin?.writable === true) this.#child.stdin.write(line);
  }

  async close(): Promise<void> {
    this.#child.stdin?.end();
    await Promise.race([this.#ended, sleep(LAST_LINES_MS)]);
  }
}
