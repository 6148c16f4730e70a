/**
 * Answers a request of gunicorn's control protocol (gunicorn/ctl/server.py, _dispatch): what it shows comes from
 * {@link Facts}, and what it orders becomes a request to the herd, as from a command of Cowherd.
 */
import * as v from 'valibot';
import type { RequestEvent } from '../decisions/requests.ts';
import type { Answer } from '../herd/draft.ts';
import { commandOf, type Asked } from './commands.ts';
import { dirtyStatusOf, type DirtyStatus } from './dirty-arbiter.ts';
import type { DirtyRequest } from './dirty-protocol.ts';
import { show, type Facts } from './shown.ts';
import { splitWords } from './words.ts';

type Json = Record<string, unknown>;

const SHOWS_DIRTY: ReadonlySet<string> = new Set(['all', 'dirty', 'stats']);

/** Who is named in the log and in the history. */
const BY = 'gunicornc';

export interface Herd {
  /** What is known without asking anybody. */
  facts(): Omit<Facts, 'dirty'>;
  /** The answer of the dirty arbiter; null if there is none. Rejects with an Error for people. */
  askDirty(request: DirtyRequest): Promise<unknown>;
  request(event: RequestEvent): Answer | null;
  reopenLogs(): void;
}

const word = v.union([v.string(), v.number(), v.boolean()]);

const request = v.object({
  id: v.optional(v.union([v.number(), v.string(), v.null()]), 0),
  command: v.optional(v.string(), ''),
  args: v.optional(v.nullable(v.array(word)), []),
});

export type Reply = { id: number | string | null } & (
  | { status: 'ok'; data: Json }
  | { status: 'error'; error: string }
);

/** `text` is the payload of one frame. Never throws for what it says. */
export async function replyTo(text: string, herd: Herd): Promise<Reply> {
  const parsed = v.safeParse(request, jsonOf(text));
  if (!parsed.success) return refusal(0, `Invalid argument: ${v.summarize(parsed.issues).replaceAll('\n', ' ')}`);
  const { id, command, args } = parsed.output;
  let asked: Asked;
  try {
    const words = [...splitWords(command), ...(args ?? []).map(String)];
    if (command.trim() === '' || words.length === 0) return refusal(id, 'Empty command');
    asked = commandOf(words);
  } catch (error) {
    return refusal(id, `Invalid argument: ${error instanceof Error ? error.message : String(error)}`);
  }
  const answer = await answerTo(asked, herd);
  return typeof answer === 'string' ? refusal(id, `Command failed: ${answer}`) : { id, status: 'ok', data: answer };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refusal(id: number | string | null, error: string): Reply {
  return { id, status: 'error', error };
}

/** The data, or why the command failed. */
async function answerTo(asked: Asked, herd: Herd): Promise<Json | string> {
  switch (asked.ask) {
    case 'show':
      return show(asked.what, { ...herd.facts(), dirty: SHOWS_DIRTY.has(asked.what) ? await dirtyOf(herd) : null });
    case 'worker add':
      return scale(herd, asked.count, 'added');
    case 'worker remove':
      return scale(herd, -asked.count, 'removed');
    case 'worker kill':
      return kill(herd, asked.pid);
    case 'dirty add':
      return await manageDirty(herd, { ask: 'add', count: asked.count });
    case 'dirty remove':
      return await manageDirty(herd, { ask: 'remove', count: asked.count });
    case 'reload':
      return ordered(herd.request({ type: 'reload_requested', by: BY }), { status: 'reloading' });
    case 'reopen':
      herd.reopenLogs();
      return { status: 'reopening' };
    case 'shutdown':
      herd.request({ type: 'stop_requested', by: BY, quick: asked.mode === 'quick' });
      return { status: 'shutting_down', mode: asked.mode };
    case 'help':
      break;
  }
  return { commands: HELP };
}

async function dirtyOf(herd: Herd): Promise<DirtyStatus | null> {
  try {
    return dirtyStatusOf(await herd.askDirty({ ask: 'status' }));
  } catch {
    return null;
  }
}

async function manageDirty(herd: Herd, request: DirtyRequest): Promise<Json> {
  try {
    const result = v.safeParse(v.nullable(v.record(v.string(), v.unknown())), await herd.askDirty(request));
    return (result.success ? result.output : null) ?? { success: false, error: 'Dirty arbiter not running' };
  } catch (error) {
    return { success: false, error: error instanceof Error ? error.message : String(error) };
  }
}

function scale(herd: Herd, by: number, done: 'added' | 'removed'): Json | string {
  const previous = herd.facts().report.herd.workers_wanted;
  const answer = herd.request({ type: 'scale_to', workers: Math.max(1, previous + by), by: BY });
  const total = herd.facts().report.herd.workers_wanted;
  return ordered(answer, { [done]: Math.abs(total - previous), previous, total });
}

function kill(herd: Herd, pid: number): Json {
  const answer = herd.request({ type: 'replace_requested', pid, by: BY });
  if (answer?.accepted === true) return { success: true, killed: pid };
  return { success: false, error: answer?.text ?? `Worker ${pid} not found` };
}

function ordered(answer: Answer | null, data: Json): Json | string {
  return answer?.accepted === false ? answer.text : data;
}

/** gunicorn's own texts, where they are true of Cowherd. */
const HELP = {
  'show all': 'Show all processes (arbiter, web workers, dirty workers)',
  'show workers': 'List HTTP workers with their status',
  'show dirty': 'List dirty workers and apps',
  'show config': 'Show current effective configuration',
  'show stats': 'Show server statistics',
  'show listeners': 'Show bound sockets',
  'worker add [N]': 'Spawn N workers (default 1)',
  'worker remove [N]': 'Remove N workers (default 1)',
  'worker kill <PID>': 'Replace a specific worker: it leaves when another one is ready',
  reload: 'Graceful reload (HUP)',
  reopen: 'Reopen log files (USR1)',
  'shutdown [graceful|quick]': 'Shutdown server (TERM/QUIT)',
  help: 'Show this help message',
};
