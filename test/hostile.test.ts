/** What an attacker who has code execution in a worker can do; all attacks are `make test-hostile`. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { SHORT } from './hostile/attacks.ts';
import { attackCommand } from './hostile/command.ts';
import type { Summary } from './hostile/result.ts';
import { PYTHON, ROOT } from './support/cowherd.ts';
import { needs, NETWORK_NAMESPACES_NEEDED, ROOT_NEEDED } from './support/needs.ts';

describe('an attacker in a worker of nobody', needs(ROOT_NEEDED, NETWORK_NAMESPACES_NEEDED), () => {
  test('hurts neither the host nor the herd', () => {
    const [command = '', ...words] = attackCommand(PYTHON, SHORT);
    const { stdout, status } = spawnSync(command, words, { cwd: ROOT, encoding: 'utf8' });
    const summary = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Summary;
    expect(summary, stdout).toEqual({
      attacks: SHORT.length,
      held: SHORT.length,
      host_processes_hurt: 0,
      files_hurt: 0,
      requests_lost: 0,
    });
    expect(status).toBe(0);
  });
});
