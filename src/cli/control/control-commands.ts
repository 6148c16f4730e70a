/** The commands for a running herd, with their options. */
import type { Command } from 'commander';
import { RUNTIME_DIR, positiveNumber, wholeNumber, type Run } from '../shared/arguments.ts';
import type { StatusOptions } from './status.ts';
import type { StopOptions } from './stop.ts';
import type { ScaleOptions } from './scale.ts';
import type { ListOptions } from './list.ts';
import type { HistoryOptions } from './history.ts';
import type { RolloutKind } from '../../supervisor/herd/state.ts';
import type { RolloutOptions } from './rollout.ts';

export function addStatus(program: Command, run: Run): void {
  program
    .command('status')
    .description('how a running herd is: every process, its requests and its memory')
    .option(...RUNTIME_DIR)
    .option('--watch', 'renew it until Ctrl-C')
    .option('--interval <seconds>', 'between two looks with --watch', positiveNumber)
    .option('--json', 'print it as JSON (docs/status.md)')
    .option('--ready', 'print nothing; exit with 0 when the herd is to get traffic, else with 1 and why')
    .addHelpText('after', '\nExamples:\n  cowherd status --watch\n  cowherd status --json | jq .herd.memory')
    .action(async (options: StatusOptions) => {
      await run(async () => await (await import('./status.ts')).runStatus(options));
    });
}

export function addStop(program: Command, run: Run): void {
  program
    .command('stop')
    .description('stop a running herd after its requests in flight, and wait until it is gone')
    .option(...RUNTIME_DIR)
    .option('--quick', 'cut requests in flight short')
    .option('--timeout <seconds>', 'how long to wait (60)', positiveNumber)
    .addHelpText('after', '\nExamples:\n  cowherd stop\n  cowherd stop --quick --runtime-dir /run/cowherd/shop')
    .action(async (options: StopOptions) => {
      await run(async () => await (await import('./stop.ts')).runStop(options));
    });
}

export function addScale(program: Command, run: Run): void {
  program
    .command('scale')
    .description('change the number of workers of a running herd')
    .argument('<workers>', 'how many there are to be', wholeNumber)
    .option(...RUNTIME_DIR)
    .addHelpText('after', '\nExamples:\n  cowherd scale 16')
    .action(async (workers: number, options: ScaleOptions) => {
      await run(async () => await (await import('./scale.ts')).runScale(workers, options));
    });
}

export function addList(program: Command, run: Run): void {
  program
    .command('list')
    .description('the herds that run: of this user, or, for root, of all')
    .option('--json', 'print it as JSON (docs/list.md)')
    .addHelpText('after', "\nExamples:\n  cowherd list\n  cowherd list --json | jq -r '.herds[].folder'")
    .action(async (options: ListOptions) => {
      await run(async () => await (await import('./list.ts')).runList(options));
    });
}

export function addHistory(program: Command, run: Run): void {
  program
    .command('history')
    .description('what each reload, refork, rollback and stop did to the host, also of a herd that has ended')
    .option(...RUNTIME_DIR)
    .option('--json', 'print it as JSON (docs/history.md)')
    .addHelpText('after', '\nExamples:\n  cowherd history\n  cowherd history --json | jq ".records[-1].host"')
    .action(async (options: HistoryOptions) => {
      await run(async () => await (await import('./history.ts')).runHistory(options));
    });
}

const ROLLOUTS: Readonly<Record<RolloutKind, string>> = {
  reload: 'new code and new settings, without a dropped request',
  rollback: 'back to the generation before the last reload',
  refork: 'make a warmed worker the mold of the next generation',
};

export function addRollouts(program: Command, run: Run): void {
  for (const [kind, description] of Object.entries(ROLLOUTS)) {
    program
      .command(kind)
      .description(description)
      .option(...RUNTIME_DIR)
      .option('--no-wait', 'return as soon as it has begun')
      .option('--timeout <seconds>', 'how long to wait for its end (600)', positiveNumber)
      .option('--json', 'print how it ended as JSON')
      .addHelpText('after', `\nExamples:\n  cowherd ${kind}\n  cowherd ${kind} --runtime-dir /run/cowherd/shop --json`)
      .action(async (options: RolloutOptions) => {
        await run(async () => await (await import('./rollout.ts')).runRollout(kind as RolloutKind, options));
      });
  }
}
