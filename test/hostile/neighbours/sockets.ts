/** Commands that meet a herd of somebody else: in the place of one's own, or among those that root looks through. */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { PROTOCOL_VERSION } from '../../../src/agent/messages.ts';
import { herdNamePrefix } from '../../../src/supervisor/runtime-directory/runtime-directory.ts';
import { EVIL, harmOf, shows } from '../harm.ts';
import type { Stage } from '../stage.ts';
import type { NeighbourAttack } from './attack.ts';

/** Of a line that does not end; a reply may have 16 MiB, and sockets hold some. */
const MOST_TAKEN_BYTES = 64 * 1024 * 1024;

export const SOCKET_ATTACKS: readonly NeighbourAttack[] = [
  {
    name: "a herd of another user in the place of one's own: status, reload, scale, stop, list, why",
    attempt: async (stage) => {
      const shop = path.join(stage.aliceHome, 'shop');
      mkdirSync(shop, { recursive: true });
      const base = `/tmp/cowherd-${stage.aliceId}`;
      const directory = path.join(base, `${herdNamePrefix(shop)}-000000`);
      const weapon = await stage.mallory.begin(
        `
os.mkdir(BASE); os.mkdir(DIRECTORY)
open(DIRECTORY + "/herd.json", "w").write(NOTES)
listen(DIRECTORY + "/control.sock", one_line(REPLY))
listen(DIRECTORY + "/keeper.sock", one_line(REPLY))
tell("at work")
while not visitors: time.sleep(0.01)
tell("visited")
time.sleep(1000)
`,
        { BASE: base, DIRECTORY: directory, NOTES: notesOf(shop), REPLY: await evilStatus(stage) },
      );
      const harm: string[] = [];
      for (const named of [[], ['--runtime-dir', directory]]) {
        for (const words of [['status'], ['reload'], ['scale', '2'], ['stop', '--timeout', '1'], ['why']]) {
          const ran = await stage.alice.run([...words, ...named], { cwd: shop });
          harm.push(...harmOf(words.join(' '), ran));
          if (ran.status === 0) harm.push(`${words.join(' ')} believed another user's process: ${ran.output}`);
        }
      }
      harm.push(...harmOf('list', await stage.alice.run(['list'], { cwd: shop })));
      if (weapon.said.includes('visited')) harm.push("a command of alice's talked to another user's process");
      rmSync(base, { recursive: true });
      return harm;
    },
  },
  {
    name: 'escape sequences in all that a herd of another user says to root: list, status, reload, why',
    attempt: async (stage) => {
      const { directory, close } = await theirHerd(stage, 'listen(CONTROL, one_line(REPLY))', {
        REPLY: await evilStatus(stage),
      });
      const harm: string[] = [];
      const named = ['--runtime-dir', directory];
      for (const words of [
        ['list'],
        ['list', '--json'],
        ['status'],
        ['status', ...named],
        ['status', '--json', ...named],
        ['status', '--ready', ...named],
        ['reload', ...named],
        ['why', ...named],
      ]) {
        const ran = await stage.root.run(words, { terminal: true });
        harm.push(...harmOf(words.join(' '), ran));
        if (words[0] !== 'why' && words[0] !== 'reload' && !shows(ran.output)) {
          throw new Error(`${words.join(' ')} shows nothing of the herd: ${ran.output}`);
        }
      }
      return [...harm, ...close()];
    },
  },
  {
    name: 'escape sequences in the names of a herd that holds an address: serve',
    attempt: async (stage) => {
      const address = '127.0.0.1:18090';
      const { close } = await theirHerd(
        stage,
        `
web = socket.create_server(("127.0.0.1", 18090))
open(DIRECTORY + "/herd.json", "w").write(NOTES)
listen(CONTROL, one_line(REPLY))
`,
        { NOTES: notesOf(EVIL, `http://${address}`), REPLY: await evilStatus(stage) },
      );
      const words = ['attacked:app', '--python', stage.python, '--bind', address];
      const more = ['--runtime-dir', path.join(stage.folder, 'other')];
      const ran = await stage.root.serve([...words, ...more], { cwd: stage.folder, terminal: true });
      if (!shows(ran.output)) throw new Error(`serve shows nothing of the herd: ${ran.output}`);
      return [...harmOf('serve', ran), ...close()];
    },
  },
  {
    name: 'a reply without an end, one byte by byte, and none: list, status, stop',
    attempt: async (stage) => {
      const { directory, close } = await theirHerd(
        stage,
        `
listen(CONTROL, endless)
for name, answer in (("dripping", dripping), ("silent", silent), ("nested", one_line("[" * 1_000_000))):
    os.mkdir(BASE + "/" + name)
    listen(BASE + "/" + name + "/control.sock", answer)
`,
      );
      const harm: string[] = [];
      for (const words of [
        ['list'],
        ['status', '--runtime-dir', directory],
        ['stop', '--timeout', '1', '--runtime-dir', directory],
        ['status', '--runtime-dir', path.join(path.dirname(directory), 'dripping')],
      ]) {
        harm.push(...harmOf(words.join(' '), await stage.root.run(words)));
      }
      return [...harm, ...close()];
    },
  },
  {
    name: 'keepers without a supervisor that say no end, or byte by byte: list, stop',
    attempt: async (stage) => {
      const { directory, close } = await theirHerd(
        stage,
        `
for name, answer in (("endless", endless), ("dripping", dripping), ("evil", one_line(REFUSED))):
    os.mkdir(BASE + "/" + name)
    listen(BASE + "/" + name + "/keeper.sock", answer)
looks = []
def looked_once(connection):
    # What a command asks first is answered well, and then no more.
    looks.append(1)
    (one_line(LOOKED) if len(looks) == 1 else endless)(connection)
listen(DIRECTORY + "/keeper.sock", looked_once)
`,
        {
          LOOKED: JSON.stringify({
            type: 'looked',
            protocol: PROTOCOL_VERSION,
            pid: stage.decoys.pid,
            supervised: false,
            draining: false,
            molds: [],
            workers: [stage.decoys.pid],
          }),
          REFUSED: JSON.stringify({ type: 'refused', code: 'PROTOCOL_MISMATCH', detail: EVIL }),
        },
      );
      const harm: string[] = [];
      for (const words of [['list'], ['stop', '--timeout', '1', '--runtime-dir', directory]]) {
        harm.push(...harmOf(words.join(' '), await stage.root.run(words)));
      }
      for (const name of ['endless', 'evil']) {
        const words = ['stop', '--timeout', '1', '--runtime-dir', path.join(path.dirname(directory), name)];
        harm.push(...harmOf(words.join(' '), await stage.root.run(words)));
      }
      return [...harm, ...close()];
    },
  },
  {
    name: "the pid of root's process as that of the herd to be stopped",
    attempt: async (stage) => {
      const { directory, close } = await theirHerd(stage, 'listen(CONTROL, one_line(REPLY))', {
        REPLY: JSON.stringify({ type: 'stopping', pid: stage.decoys.pid }),
      });
      const harm: string[] = [];
      for (const more of [[], ['--quick']]) {
        const words = ['stop', '--timeout', '1', '--runtime-dir', directory, ...more];
        harm.push(...harmOf(words.join(' '), await stage.root.run(words)));
      }
      return [...harm, ...close()];
    },
  },
  {
    name: 'notes of a herd that are a pipe, a link, a device and deeply nested: list, status, stop',
    attempt: async (stage) => {
      const { directory, close } = await theirHerd(
        stage,
        `
def notes(name):
    os.mkdir(BASE + "/" + name)
    listen(BASE + "/" + name + "/control.sock", silent)
    return BASE + "/" + name + "/herd.json"
os.mkfifo(notes("pipe"))
os.symlink(SECRET, notes("link"))
os.symlink("/dev/zero", notes("device"))
open(notes("nested"), "w").write("[" * 1_000_000)
open(notes("large"), "w").truncate(1 << 40)
open(notes("evil"), "w").write(NOTES)
listen(CONTROL, silent)
`,
        { SECRET: stage.decoys.file, NOTES: notesOf(EVIL) },
      );
      const harm: string[] = [];
      const base = path.dirname(directory);
      for (const words of [
        ['list'],
        ...['pipe', 'device', 'evil'].map((name) => ['stop', '--timeout', '1', '--runtime-dir', path.join(base, name)]),
      ]) {
        const ran = await stage.root.run(words);
        harm.push(...harmOf(words.join(' '), ran));
        if (ran.output.includes('nobody has written here')) harm.push(`${words.join(' ')} shows a file of root's`);
      }
      return [...harm, ...close()];
    },
  },
];

interface TheirHerd {
  readonly directory: string;
  /** Takes it away, and says what of its words was taken without a bound. */
  readonly close: () => string[];
}

/** A herd where root looks for those of this user: nothing but lines of Python behind its sockets. */
async function theirHerd(
  { mallory }: Stage,
  lines: string,
  facts: Readonly<Record<string, unknown>> = {},
): Promise<TheirHerd> {
  const base = `/tmp/cowherd-${mallory.uid}`;
  const directory = path.join(base, 'theirs');
  const begin = 'os.mkdir(BASE, 0o700); os.mkdir(DIRECTORY, 0o700)';
  const names = { BASE: base, DIRECTORY: directory, CONTROL: path.join(directory, 'control.sock') };
  const weapon = await mallory.begin(`${begin}\n${lines}\ntell("at work")\ntime.sleep(1000)`, { ...names, ...facts });
  return {
    directory,
    close: () => {
      rmSync(base, { recursive: true });
      const taken = weapon.said.flatMap((line) => /^taken (\d+)$/.exec(line)?.[1] ?? []).map(Number);
      return taken.some((size) => size > MOST_TAKEN_BYTES) ? [`a command has read ${Math.max(...taken)} bytes`] : [];
    },
  };
}

/** A status as a herd gives it, in which every text is evil. */
async function evilStatus(stage: Stage): Promise<string> {
  const report = await stage.status();
  if (report === null) throw new Error('the herd does not answer');
  const evil = (data: unknown): unknown => {
    if (typeof data === 'string') return EVIL;
    if (Array.isArray(data)) return data.map(evil);
    if (typeof data !== 'object' || data === null) return data;
    return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, evil(value)]));
  };
  const { herd, ...rest } = evil(report) as typeof report;
  // The processes are root's: what a command does to those of its herd it would do to them.
  const { pid } = stage.decoys;
  const own = rest.workers.map((worker) => ({ ...worker, pid, state: 'ready' }));
  const molds = rest.molds.map((mold) => ({ ...mold, pid, report: { [EVIL]: EVIL } }));
  const supervisor = { ...herd.supervisor, pid };
  const changed = { ...rest, molds, workers: own, herd: { ...herd, supervisor, not_ready_because: EVIL } };
  return JSON.stringify({ type: 'status', report: changed });
}

/** As the supervisor of a herd keeps them. */
function notesOf(folder: string, listener = EVIL): string {
  return JSON.stringify({
    version: 1,
    supervisorPid: 1,
    origin: { python: 'python', arguments: [], cwd: folder },
    state: { settings: { app: EVIL }, listeners: [listener], target: 1, phase: EVIL },
  });
}
