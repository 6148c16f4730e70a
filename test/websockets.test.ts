/** WebSockets that are open while workers are exchanged, or the herd stops: what becomes of them, and of requests beside them. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { serving, type Run } from './support/cowherd.ts';
import { Load } from './support/load.ts';
import { until } from './support/until.ts';
import { readyPids } from './support/workers.ts';

/** Echoes with the worker's pid: at once, or, for `slowly`, when the file `go-on` is there. Notes how a WebSocket ended. */
const APP = `
import asyncio, os

def note(text):
    with open("notes", "a") as notes:
        notes.write(f"{text}\\n")

async def lifespan(receive, send):
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return

async def chat(receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    try:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                note(f"disconnect {message['code']}")
                return
            while message["text"] == "slowly" and not os.path.exists("go-on"):
                await asyncio.sleep(0.02)
            await send({"type": "websocket.send", "text": f"{message['text']} {os.getpid()}"})
    finally:
        note("ended")

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    if scope["type"] == "websocket":
        return await chat(receive, send)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
`;

const open: Chat[] = [];
afterEach(() => {
  for (const chat of open.splice(0)) chat.end();
});

/** One WebSocket of a client's. */
class Chat {
  readonly #socket: WebSocket;
  readonly #answers: string[] = [];
  /** The code of its end: 1006 where nobody has said one (RFC 6455, 7.4.1). */
  code: number | null = null;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#answers.push(data.toString()));
    socket.on('error', () => {});
    socket.on('close', (code) => {
      this.code = code;
    });
    open.push(this);
  }

  static async connect(run: Run): Promise<Chat> {
    const socket = new WebSocket(`${run.address.replace('http', 'ws')}/chat`);
    const chat = new Chat(socket);
    await until('it is connected', () => {
      if (chat.code !== null) throw new Error(`it was closed (${chat.code}) before it was open`);
      return socket.readyState === WebSocket.OPEN;
    });
    return chat;
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** The pid of the worker that has answered. */
  async answer(): Promise<number> {
    const text = await until('it answers', () => {
      if (this.code !== null) throw new Error(`it was closed (${this.code}) without an answer`);
      return this.#answers.shift();
    });
    return Number(text.split(' ')[1]);
  }

  async ask(): Promise<number> {
    this.send('hello');
    return await this.answer();
  }

  /** As a browser does it when the page is left. */
  leave(): void {
    this.#socket.close(1000);
  }

  end(): void {
    this.#socket.terminate();
  }
}

/** One after the other connects, asks and leaves. */
class Visitors {
  answered = 0;
  readonly failures: string[] = [];
  #running = true;
  readonly #done: Promise<void>;

  constructor(run: Run) {
    this.#done = this.#visit(run);
  }

  async #visit(run: Run): Promise<void> {
    while (this.#running) {
      try {
        const chat = await Chat.connect(run);
        await chat.ask();
        this.answered += 1;
        chat.end();
      } catch (error) {
        this.failures.push(String(error));
      }
    }
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }
}

/** Two workers, and WebSockets at each. */
async function start(workerClass: string, graceSeconds: number): Promise<[run: Run, before: number[], chats: Chat[]]> {
  const args = ['chat:app', '-k', workerClass, '--workers', '2', '--graceful-timeout', String(graceSeconds)];
  const run = await serving(args, { files: { 'chat.py': APP } });
  const before = await readyPids(run);
  const chats: Chat[] = [];
  await until('each worker has WebSockets', async () => {
    chats.push(await Chat.connect(run));
    const pids = await Promise.all(chats.map((chat) => chat.ask()));
    return before.every((pid) => pids.filter((each) => each === pid).length >= 2);
  });
  return [run, before, chats];
}

/** Until these workers of gunicorn's asgi accept nobody any more, which they say. */
async function untilOthersServe(run: Run, before: readonly number[]): Promise<void> {
  await until('the old workers no longer accept', () => {
    const said = new Set(run.log.filter(({ msg }) => msg === 'Worker shutting down...').map(({ pid }) => pid));
    return before.every((pid) => said.has(pid));
  });
}

/** As a client does it that was told of a restart: it may meet another worker that is about to leave. */
async function comeBack(run: Run, before: readonly number[]): Promise<Chat> {
  return await until('it is back', async () => {
    try {
      const chat = await Chat.connect(run);
      expect(before).not.toContain(await chat.ask());
      return chat;
    } catch (error) {
      if (String(error).includes('closed (1012)')) return null;
      throw error;
    }
  });
}

async function codesAtTheEnd(chats: readonly Chat[]): Promise<Set<number | null>> {
  await until('all are closed', () => chats.every(({ code }) => code !== null));
  return new Set(chats.map(({ code }) => code));
}

function goOn(run: Run): void {
  writeFileSync(path.join(run.folder, 'go-on'), '');
}

/** What the application has noted of its WebSockets' ends. */
function notes(run: Run): string[] {
  return readFileSync(path.join(run.folder, 'notes'), 'utf8').trim().split('\n');
}

const cutIn = (run: Run): string[] => run.messages.filter((message) => message.includes('request(s) cut'));

describe("with gunicorn's asgi", () => {
  test('they go on through a reload for the grace period, and new ones are with new workers', async () => {
    const [run, before, chats] = await start('asgi', 8);
    const load = new Load(run, '/', 2, 5);
    const visitors = new Visitors(run);
    chats[0]!.send('slowly');
    run.signal('SIGHUP');
    await run.waitForText(/Reload done/);
    await untilOthersServe(run, before);
    // The workers that were told to leave still answer: new messages, and those that came before.
    for (const chat of chats.slice(1)) expect(before).toContain(await chat.ask());
    goOn(run);
    expect(before).toContain(await chats[0]!.answer());
    const late = await Chat.connect(run);
    expect(before).not.toContain(await late.ask());
    // Then they are cut: without a word, unless their worker comes to it before it is killed.
    for (const code of await codesAtTheEnd(chats)) expect([1006, 1011]).toContain(code);
    expect(before).not.toContain(await late.ask());
    await visitors.stop();
    await load.stop();
    expect([...visitors.failures, ...load.failures]).toEqual([]);
    expect(visitors.answered).toBeGreaterThan(0);
    // Told when the workers' ends are heard of, which is after the clients have seen them.
    await until('both workers are told of', () => cutIn(run).length === 2);
    for (const message of cutIn(run)) expect(message).toMatch(/ cut: WebSocket \/chat \(after [\d.]+ s\)/);
    late.end();
    await run.stop();
  });

  test('at a refork the worker that becomes a mold closes its own, and keeps none of them', async () => {
    const [run, before, chats] = await start('asgi', 2);
    const load = new Load(run, '/', 2, 5);
    await run.command('refork', '--runtime-dir', run.runtimeDirectory);
    for (const code of await codesAtTheEnd(chats)) expect([1006, 1011]).toContain(code);
    await untilOthersServe(run, before);
    await load.stop();
    expect(load.failures).toEqual([]);
    const { molds } = await run.status();
    expect(before).toContain(molds.find(({ generation }) => generation === 2)?.pid);
    await run.stop();
  });

  test('at a stop what is under way is answered, and a herd whose visitors leave has nothing to cut', async () => {
    const [run, before, chats] = await start('asgi', 60);
    chats[0]!.send('slowly');
    run.signal('SIGTERM');
    await run.waitForText(/Worker shutting down/);
    await expect(Chat.connect(run)).rejects.toThrow('before it was open');
    for (const chat of chats.slice(1)) expect(before).toContain(await chat.ask());
    goOn(run);
    expect(before).toContain(await chats[0]!.answer());
    for (const chat of chats) chat.leave();
    expect(await run.ended).toEqual({ status: 0, signal: null });
    expect(await codesAtTheEnd(chats)).toEqual(new Set([1000]));
    expect(cutIn(run)).toEqual([]);
    expect(notes(run).filter((note) => note === 'disconnect 1000').length).toBe(chats.length);
    await run.expectNothingLeft();
  });
});

describe("with uvicorn's worker", () => {
  const exchanges = [
    { name: 'a reload', by: 'SIGHUP', done: /Reload done/ },
    { name: 'a refork', by: 'SIGUSR2', done: /Refork done/ },
  ] as const;

  test.each(exchanges)('they are told of $name by 1012, and can come back at once', async ({ by, done }) => {
    const [run, before, chats] = await start('uvicorn_worker.UvicornWorker', 60);
    const load = new Load(run, '/', 2, 5);
    const visitors = new Visitors(run);
    run.signal(by);
    await run.waitForText(done);
    expect(await codesAtTheEnd(chats)).toEqual(new Set([1012]));
    const back = await Promise.all(chats.map(() => comeBack(run, before)));
    await visitors.stop();
    await load.stop();
    expect(load.failures).toEqual([]);
    // One that was open when its worker left has been told so, too.
    expect(visitors.failures.filter((failure) => !failure.includes('closed (1012) without an answer'))).toEqual([]);
    expect(visitors.answered).toBeGreaterThan(0);
    expect(notes(run).filter((note) => note === 'disconnect 1012').length).toBeGreaterThanOrEqual(chats.length);
    expect(cutIn(run)).toEqual([]);
    for (const chat of back) chat.end();
    await run.stop();
  });

  test('they are told of a stop by 1012, and the herd does not wait for them', async () => {
    const [run, , chats] = await start('uvicorn_worker.UvicornWorker', 600);
    await run.stop();
    expect(await codesAtTheEnd(chats)).toEqual(new Set([1012]));
    expect(notes(run).filter((note) => note === 'disconnect 1012').length).toBe(chats.length);
    expect(cutIn(run)).toEqual([]);
  });
});
