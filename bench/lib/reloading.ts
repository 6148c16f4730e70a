/** How each kind of server is told to reload or refork, by its own means, and when it has done it. */
import { readFileSync, utimesSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicClock } from '../../src/base/clock.ts';
import { ask } from '../../src/supervisor/control/control.ts';
import { CONTROL_VERSION } from '../../src/supervisor/control/control-messages.ts';
import { childrenOf, hasEnded, identify, isAlive, kill, type ProcessIdentity } from './processes.ts';
import { reloadFileOf } from './servers.ts';
import type { Serving } from './serving.ts';

/** uWSGI's workers load the application one after the other. */
const WITHIN_MS = 300_000;
const LOOK_EVERY_MS = 10;

/** What a worker writes when it has loaded the application: gunicorn's by `tell_booted.py`, uWSGI's by itself. */
const BOOTED = /Worker has booted \(pid: (\d+)\)|WSGI app \d+ .* ready in .* pid: (\d+)/g;

/**
 * Reloads a server whose workers have all booted: returns when as many new workers can serve, and no old process is
 * left. `master` is gunicorn's or uWSGI's present one; the result is the one after the reload.
 */
export async function reload(serving: Serving, master: number, workers: number): Promise<{ master: number }> {
  const { server } = serving;
  if (server.kind === 'cowherd') {
    await rollOut(serving, 'reload');
    return { master };
  }
  const old = childrenOf(master).flatMap((pid) => identify(pid) ?? []);
  if (server.kind === 'gunicorn' && server.reloadBy === 'USR2') return await upgrade(serving, master, old, workers);
  if (server.kind === 'gunicorn') {
    kill(master, 'SIGHUP');
  } else {
    const now = new Date();
    utimesSync(reloadFileOf(serving.folder), now, now);
  }
  await untilEnded(old);
  const isOld = new Set(old.map(({ pid }) => pid));
  await until('as many new workers as before', () => {
    const now = [...booted(serving)].filter((pid) => !isOld.has(pid) && isAlive(pid));
    return now.length >= workers ? true : undefined;
  });
  return { master };
}

/** Cowherd's reload or refork: returns when there are only workers of the new generation. */
export async function rollOut(serving: Serving, kind: 'reload' | 'refork'): Promise<void> {
  const reply = await ask(serving.runtimeDirectory, { type: kind, version: CONTROL_VERSION });
  if (reply.type !== 'answered' || reply.generation === null) throw new Error(JSON.stringify(reply));
  const { generation } = reply;
  await until('only workers of the new generation', async () => {
    const report = await serving.status();
    const last = report?.herd.last_rollout;
    if (report === null || last?.to !== generation) return undefined;
    if (last.failure !== null) throw new Error(`the ${kind} failed: ${last.failure}`);
    return report.workers.every((worker) => worker.generation === generation) ? true : undefined;
  });
}

/** As gunicorn's documentation has it ("Upgrading to a new binary on the fly"). */
async function upgrade(serving: Serving, master: number, old: readonly ProcessIdentity[], workers: number) {
  const oldMaster = identify(master);
  kill(master, 'SIGUSR2');
  const next = await until('a new master with its workers', () =>
    childrenOf(master).find((pid) => {
      const all = booted(serving);
      return childrenOf(pid).filter((worker) => all.has(worker)).length >= workers;
    }),
  );
  kill(master, 'SIGTERM');
  await untilEnded(oldMaster === null ? old : [oldMaster, ...old]);
  return { master: next };
}

async function untilEnded(processes: readonly ProcessIdentity[]): Promise<void> {
  await until('the end of all old processes', () => (processes.every(hasEnded) ? true : undefined));
}

/** Every worker that has ever said in the log that it can serve. */
function booted(serving: Serving): Set<number> {
  return new Set([...readFileSync(serving.log, 'utf8').matchAll(BOOTED)].map((match) => Number(match[1] ?? match[2])));
}

async function until<Result>(
  what: string,
  look: () => Result | undefined | Promise<Result | undefined>,
): Promise<Result> {
  const end = monotonicClock.now() + WITHIN_MS;
  for (;;) {
    const result = await look();
    if (result !== undefined) return result;
    if (monotonicClock.now() > end) throw new Error(`not within ${WITHIN_MS / 1000} s: ${what}`);
    await sleep(LOOK_EVERY_MS);
  }
}
