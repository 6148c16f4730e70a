/** Asks a herd's dirty arbiter about its workers, as gunicorn's control interface does (gunicorn/ctl/handlers.py). */
import { lstatSync } from 'node:fs';
import { connect } from 'node:net';
import { basename, dirname } from 'node:path';
import * as v from 'valibot';
import type { StatusReport } from '../control/status.ts';
import { decodeAnswer, encodeRequest, type DirtyRequest } from './dirty-protocol.ts';

/** As long as gunicorn waits for a status. A change of workers takes 0.1 s for each. */
const ANSWER_MS = { status: 2000, add: 10_000, remove: 10_000 };

/** What the mold of the serving generation has reported (agent/cowherd_agent/mold/dirty_arbiter.py). */
export interface DirtyPlace {
  /** The arbiter's parent. */
  readonly pid: number;
  readonly socket: string;
}

const reported = v.object({ dirty_arbiter: v.object({ pid: v.number(), socket: v.string() }) });

export function dirtyPlaceOf({ molds, herd }: StatusReport): DirtyPlace | null {
  const mold = molds.find(({ generation }) => generation === herd.generation);
  const parsed = v.safeParse(reported, mold?.report);
  return parsed.success ? parsed.output.dirty_arbiter : null;
}

/** The `result` of the answer. @throws Error with a text for people */
export async function askDirtyArbiter({ socket: path }: DirtyPlace, request: DirtyRequest): Promise<unknown> {
  // A mold that was a worker may say anything; root must not be sent to just any socket.
  const folder = lstatSync(dirname(path), { throwIfNoEntry: false });
  if (!basename(dirname(path)).startsWith('cowherd-dirty-') || folder?.isDirectory() !== true) {
    throw new Error('the dirty arbiter is not there');
  }
  return await new Promise((resolve, reject) => {
    const socket = connect(path);
    const late = setTimeout(
      () => socket.destroy(new Error('the dirty arbiter does not answer')),
      ANSWER_MS[request.ask],
    );
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      try {
        const answer = decodeAnswer(received);
        if (answer === null) return;
        resolve(answer.result);
        socket.destroy();
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(late);
      reject(new Error('the dirty arbiter ended the connection'));
    });
    socket.write(encodeRequest(request));
  });
}

const pids = v.pipe(v.number(), v.integer());
const worker = v.object({
  pid: pids,
  age: v.number(),
  apps: v.array(v.string()),
  booted: v.boolean(),
  last_heartbeat: v.nullable(v.number()),
});

const status = v.object({ arbiter_pid: pids, workers: v.array(worker), apps: v.array(v.string()) });
export type DirtyStatus = v.InferOutput<typeof status>;

/** The answer to `status`; null if it is none. */
export function dirtyStatusOf(result: unknown): DirtyStatus | null {
  const parsed = v.safeParse(status, result);
  return parsed.success ? parsed.output : null;
}
