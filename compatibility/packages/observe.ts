/** Serves one package with gunicorn and then with Cowherd, and records what each did. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { troubleBeyond, troubleIn } from './log-lines.ts';
import type { CowherdRun, GunicornRun, NotStarted, RolloutSeen, Wrong } from './observation.ts';
import { type Place, Server } from './server.ts';

const REQUESTS = 50;
/** Clients that request all the time while a herd reloads or reforks. Each has one request in flight. */
const CLIENTS = 2;
/** Stop after this many wrong answers, since each may take the whole timeout. */
const ENOUGH = 3;
const PAUSE_MS = 100;
const ASKED_AFTERWARDS_MS = 700;

interface Reference {
  readonly run: GunicornRun;
  /** By path. */
  readonly answers: ReadonlyMap<string, string>;
  readonly log: string;
  /** Number of temporary files after its end. */
  readonly temporaryFiles: number;
}

export interface Both {
  readonly gunicorn: GunicornRun | NotStarted;
  readonly cowherd: CowherdRun | NotStarted | null;
}

export async function observe(place: Place): Promise<Both> {
  const reference = await observeGunicorn({ ...place, scratch: path.join(place.scratch, 'g') });
  if ('started' in reference) return { gunicorn: reference, cowherd: null };
  const cowherd = await observeCowherd({ ...place, scratch: path.join(place.scratch, 'c') }, reference);
  return { gunicorn: reference.run, cowherd };
}

async function observeGunicorn(place: Place): Promise<Reference | NotStarted> {
  const server = await Server.start('gunicorn', place);
  if (server === null) return { started: false, log: Server.endOfLog('gunicorn', place) };
  try {
    const answers = new Map<string, string>();
    const failed: string[] = [];
    for (const request of requests()) {
      const answer = await answerOf(server, request);
      answers.set(request, answer);
      if (!answer.startsWith('200 ')) failed.push(`${request}: ${answer}`);
      if (failed.length === ENOUGH) break;
    }
    const ask = async (request: string): Promise<void> => {
      const answer = await answerOf(server, request);
      if (answer !== answers.get(request)) failed.push(`${request}, asked by two at once: ${answer}`);
    };
    if (failed.length === 0) await Promise.all(clientPaths().map((paths) => inTurn(paths, ask)));
    const { seconds, left } = await server.stop();
    if (failed.length > 0) failed.push(`its log: ${Server.endOfLog('gunicorn', place)}`);
    if (left.length > 0) failed.push(`gunicorn left behind: ${left.join(', ')}`);
    return {
      run: {
        started: true,
        secondsToServe: server.secondsToServe,
        asked: REQUESTS,
        failed,
        distinct: new Set(answers.values()).size,
        stopSeconds: seconds,
      },
      answers,
      log: server.log,
      temporaryFiles: server.temporaryFiles().length,
    };
  } finally {
    await server.kill();
  }
}

async function observeCowherd(place: Place, reference: Reference): Promise<CowherdRun | NotStarted> {
  const server = await Server.start('cowherd', place);
  if (server === null) return { started: false, log: Server.endOfLog('cowherd', place) };
  try {
    const report = await server.report();
    const mold = report?.molds.find((each) => each.generation === report.herd.generation);
    const wrong: Wrong[] = [];
    for (const request of requests()) {
      if (wrong.length < ENOUGH) wrong.push(...(await compare(server, request, reference)));
    }
    const reload = await rollOut(server, 'reload', reference);
    const refork = await rollOut(server, 'refork', reference);
    const stop = await server.stop();
    // An application may leave some each time it is loaded, which happens twice: at the start and at the reload.
    const more = server.temporaryFiles().length - 2 * reference.temporaryFiles;
    const trouble = troubleBeyond(troubleIn(server.log), troubleIn(reference.log));
    return {
      started: true,
      secondsToServe: server.secondsToServe,
      policy: mold?.policy ?? 'unknown',
      remarks: (mold?.remarks ?? []).map(({ policy, reason }) => `${policy}: ${reason}`),
      asked: REQUESTS,
      wrong,
      reload,
      refork,
      stop: { ...stop, left: more > 0 ? [...stop.left, `${more} temporary files`] : stop.left },
      ...trouble,
    };
  } finally {
    await server.kill();
  }
}

async function rollOut(server: Server, kind: 'reload' | 'refork', reference: Reference): Promise<RolloutSeen> {
  const wrong: Wrong[] = [];
  let asked = 0;
  const end = new AbortController();
  const client = async (paths: readonly string[]): Promise<void> => {
    while (!end.signal.aborted) {
      for (const request of paths) {
        wrong.push(...(await compare(server, request, reference)));
        asked += 1;
        if (end.signal.aborted) return;
        await sleep(PAUSE_MS);
      }
    }
  };
  const clients = clientPaths().map(client);
  const started = performance.now();
  const failure = await server.command(kind);
  const seconds = (performance.now() - started) / 1000;
  await sleep(ASKED_AFTERWARDS_MS);
  end.abort();
  await Promise.all(clients);
  return { failure, seconds, requests: asked, wrong };
}

async function compare(server: Server, request: string, { answers }: Reference): Promise<Wrong[]> {
  const expected = answers.get(request) ?? '';
  const got = await answerOf(server, request);
  return got === expected ? [] : [{ request, expected, got }];
}

/** Status and body, or the error of the connection. */
async function answerOf(server: Server, request: string): Promise<string> {
  try {
    const { status, body } = await server.ask(request);
    return `${status} ${body}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function inTurn(paths: readonly string[], ask: (path: string) => Promise<void>): Promise<void> {
  for (const each of paths) await ask(each);
}

/** The paths that each client requests. Each begins at a different one. */
function clientPaths(): string[][] {
  const all = requests();
  return Array.from({ length: CLIENTS }, (_, client) => {
    const first = Math.floor((client * all.length) / CLIENTS);
    return [...all.slice(first), ...all.slice(0, first)];
  });
}

function requests(): string[] {
  return Array.from({ length: REQUESTS }, (_, number) => `/${number}`);
}
