/** What an attacker in a worker, or another user of the machine, can do; all attacks are `make test-hostile`. */
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { childrenOf } from '../bench/lib/processes.ts';
import { SHORT } from './hostile/attacks.ts';
import { attackCommand } from './hostile/command.ts';
import { SHORT_OF_NEIGHBOURS } from './hostile/neighbours/attacks.ts';
import type { Summary } from './hostile/result.ts';
import { PYTHON, ROOT } from './support/cowherd.ts';
import { needs, NETWORK_NAMESPACES_NEEDED, ROOT_NEEDED } from './support/needs.ts';
import { isGone } from './support/processes.ts';
import { until } from './support/until.ts';

describe(
  'an attacker in a worker of nobody, and one who is another user',
  needs(ROOT_NEEDED, NETWORK_NAMESPACES_NEEDED),
  () => {
    test('hurt neither the host nor the herd', () => {
      const names = [...SHORT, ...SHORT_OF_NEIGHBOURS];
      const [command = '', ...words] = attackCommand(PYTHON, names);
      const { stdout, status } = spawnSync(command, words, { cwd: ROOT, encoding: 'utf8' });
      const summary = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Summary;
      expect(summary, stdout).toEqual({
        attacks: names.length + 6,
        held: names.length + 6,
        host_processes_hurt: 0,
        files_hurt: 0,
        requests_lost: 0,
      });
      expect(status).toBe(0);
    });

    test('end with who has started them', async () => {
      const runner = spawn(process.execPath, ['--import', 'tsx', path.join(ROOT, 'test', 'hostile', 'run.ts')], {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      runner.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      await until('the first attack', () => said.includes('held'));
      // unshare, and the first process of the namespace, with which all others in it end.
      const unshare = await until('the namespace', () =>
        childrenOf(runner.pid ?? 0).find((pid) => childrenOf(pid).length > 0),
      );
      const [first = 0] = childrenOf(unshare);
      expect(isGone(first)).toBe(false);
      runner.kill('SIGTERM');
      await until('they are gone', () => isGone(unshare) && isGone(first));
    });
  },
);
