/** Where a herd has its sockets and its notes: folders in which others can exchange what is put there. */
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { PROTOCOL_VERSION } from '../../../src/agent/messages.ts';
import { herdName } from '../../../src/supervisor/runtime-directory/runtime-directory.ts';
import { modeOf } from '../../../src/base/trusted-folders.ts';
import { harmOf } from '../harm.ts';
import type { RunOptions } from '../operator.ts';
import type { Stage } from '../stage.ts';
import type { NeighbourAttack } from './attack.ts';

/** All herds of root, on a machine where nobody can write to /run. */
const BASE = '/tmp/cowherd-0';
const EXCHANGE = 'tell("at work"); exchange(BASE, SECRET)';
const WITHOUT_RUN = { withoutRun: true };

export const FOLDER_ATTACKS: readonly NeighbourAttack[] = [
  {
    name: "the folder of root's herds, made by another user",
    attempt: async (stage) => {
      const make = 'os.mkdir(BASE); os.chmod(BASE, 0o777)';
      await stage.mallory.begin(`${make}; ${EXCHANGE}`, { BASE, SECRET: stage.decoys.file });
      return await served(stage, [], WITHOUT_RUN, [BASE]);
    },
  },
  {
    name: "a link in the place of the folder of root's herds",
    attempt: async (stage) => {
      const target = path.dirname(stage.decoys.file);
      await stage.mallory.run('os.symlink(TARGET, BASE)', { BASE, TARGET: target });
      return await served(stage, [], WITHOUT_RUN, [target]);
    },
  },
  {
    name: 'a folder above that everybody can write to',
    attempt: async (stage) => {
      const volume = '/tmp/volume';
      mkdirSync(volume);
      chmodSync(volume, 0o777);
      await stage.mallory.begin(EXCHANGE, { BASE: volume, SECRET: stage.decoys.file });
      return await served(stage, ['--runtime-dir', path.join(volume, 'run')], {}, [volume]);
    },
  },
  {
    name: "another user's XDG_RUNTIME_DIR, as sudo -E leaves it",
    attempt: async (stage) => {
      const theirs = `/run/user/${stage.mallory.uid}`;
      mkdirSync(theirs, { recursive: true });
      chownSync(theirs, stage.mallory.uid, stage.mallory.uid);
      const base = path.join(theirs, 'cowherd');
      await stage.mallory.begin(`os.mkdir(BASE); ${EXCHANGE}`, { BASE: base, SECRET: stage.decoys.file });
      return await served(stage, [], { env: { XDG_RUNTIME_DIR: theirs } }, [theirs]);
    },
  },
  {
    name: "another user's XDG_STATE_HOME, which leads to a folder of root",
    attempt: async (stage) => {
      const target = path.join(stage.folder, 'records');
      mkdirSync(target);
      const names = Array.from({ length: 120 }, (_, number) => `${number}.jsonl`);
      for (const name of names) writeFileSync(path.join(target, name), 'mine\n', { mode: 0o600 });
      const theirs = path.join(stage.mallory.home, 'state');
      const facts = { THEIRS: theirs, TARGET: target };
      await stage.mallory.run('os.mkdir(THEIRS); os.symlink(TARGET, THEIRS + "/cowherd")', facts);
      const words = serveArguments(stage, ['--runtime-dir', path.join(stage.folder, 'other')]);
      const ran = await stage.root.serve(words, { cwd: stage.folder, env: { XDG_STATE_HOME: theirs } });
      if (!ran.served) throw new Error(`there is no herd: ${ran.output}`);
      const left = new Set(readdirSync(target));
      return [
        ...harmOf('serve', ran),
        ...names.filter((name) => !left.has(name) || !isMine(path.join(target, name))).map((name) => `${name} is gone`),
        ...[...left].filter((name) => !names.includes(name)).map((name) => `${name} was made there`),
      ];
    },
  },
  {
    name: 'a keeper of another user, which waits for a supervisor, with a herd whose settings name files of root',
    attempt: async (stage) => {
      const args = serveArguments(stage);
      // The name without what is Cowherd's own among the arguments.
      const directory = path.join(BASE, herdName(stage.folder, args.slice(0, 1).concat(args.slice(3))));
      const weapon = await stage.mallory.begin(
        `
os.mkdir(BASE); os.mkdir(DIRECTORY); os.chmod(DIRECTORY, 0o755)
listen(DIRECTORY + "/keeper.sock", one_line(INVENTORY, stays=True))
tell("at work")
while not visitors: time.sleep(0.01)
tell("visited")
time.sleep(1000)
`,
        { BASE, DIRECTORY: directory, INVENTORY: inventoryOf(stage) },
      );
      const harm = await served(stage, [], WITHOUT_RUN, [BASE]);
      return weapon.said.includes('visited') ? [...harm, "root's command asked another user for a herd"] : harm;
    },
  },
  {
    name: 'a runtime directory that is in use for something else',
    attempt: async (stage) => {
      const inUse = ['/tmp', '/run', path.join(stage.folder, 'shared'), path.join(stage.folder, 'backup')];
      const [, , shared = '', backup = ''] = inUse;
      mkdirSync(shared);
      chmodSync(shared, 0o1777);
      mkdirSync(backup, { mode: 0o700 });
      const own = [shared, backup].flatMap((folder) =>
        ['stack-of-mine', 'census-report.txt', 'census-1'].map((name) => path.join(folder, name)),
      );
      for (const file of own) writeFileSync(file, 'mine\n');
      // Names that Cowherd gives, so that the folders look as its own.
      const names = ['.cowherd', 'herd.json', 'control.sock', 'keeper.sock', 'census-2'];
      const theirs = ['/tmp', shared].flatMap((folder) => names.map((name) => path.join(folder, name)));
      await stage.mallory.run('for file in FILES:\n    open(file, "w").write("mine\\n")', { FILES: theirs });
      const before = inUse.map((folder) => modeOf(lstatSync(folder)));
      const harm: string[] = [];
      for (const [index, folder] of inUse.entries()) {
        const ran = await stage.root.serve(serveArguments(stage, ['--runtime-dir', folder]), { cwd: stage.folder });
        harm.push(...harmOf(`serve in ${folder}`, ran));
        if (!existsSync(folder)) harm.push(`${folder} is gone`);
        else if (modeOf(lstatSync(folder)) !== before[index]) harm.push(`${folder} has another mode`);
      }
      for (const file of [...own, ...theirs]) if (!isMine(file)) harm.push(`${file} is not what it was`);
      const still = await stage.mallory.run('open("/tmp/still", "w"); tell("yes")');
      if (still !== 'yes') harm.push('others can write to /tmp no more');
      for (const file of [...theirs, '/tmp/still']) rmSync(file, { force: true });
      return harm;
    },
  },
];

/** Root starts a herd in the stage's folder; whatever of it comes to lie in these folders is there for others to exchange. */
async function served(
  stage: Stage,
  more: readonly string[],
  options: RunOptions,
  folders: readonly string[],
): Promise<string[]> {
  const harm = new Set<string>();
  const before = new Set(folders.flatMap((folder) => ofRoot(folder)));
  const look = (): void => {
    for (const file of folders.flatMap((folder) => ofRoot(folder))) {
      if (!before.has(file)) harm.add(`root's herd has ${file}, where another user can exchange it`);
    }
  };
  const ran = await stage.root.serve(serveArguments(stage, more), { cwd: stage.folder, ...options }, look);
  look();
  await stage.mallory.rest();
  rmSync(BASE, { recursive: true, force: true });
  return [...harm, ...harmOf('serve', ran)];
}

/** What a keeper says to the supervisor that adopts it; the settings are the herd's own, but for two files. */
function inventoryOf({ runtimeDirectory, decoys }: Stage): string {
  const notes = JSON.parse(readFileSync(path.join(runtimeDirectory, 'herd.json'), 'utf8')) as {
    state: { settings: Readonly<Record<string, unknown>> };
  };
  const settings = { ...notes.state.settings, pidfile: decoys.file, errorlog: decoys.otherFile };
  const about = { python_version: '3.13.0', executable: 'python' };
  const ready = { policy: 'stock', asked_policy: 'stock', remarks: [], report: {}, modules: 1 };
  const configured = { type: 'configured', settings, gunicorn_version: '27.0.1', remarks: [], ...about };
  const mold = { generation: 1, pid: decoys.pid, configured, ready: { type: 'mold_ready', ...ready } };
  return JSON.stringify({
    type: 'inventory',
    protocol: PROTOCOL_VERSION,
    pid: decoys.pid,
    molds: [{ ...mold, has_listeners: true, forking: [] }],
    workers: [],
    listeners: [],
    endings: [],
    unheard: [],
    ...about,
  });
}

function serveArguments({ python, folder }: Stage, more: readonly string[] = []): string[] {
  return ['attacked:app', '--python', python, '--bind', `unix:${path.join(folder, 'other.sock')}`, ...more];
}

/** What is root's below a folder. */
function ofRoot(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => lstatSync(file, { throwIfNoEntry: false })?.uid === 0);
}

function isMine(file: string): boolean {
  try {
    return lstatSync(file).isFile() && readFileSync(file, 'utf8') === 'mine\n';
  } catch {
    return false;
  }
}
