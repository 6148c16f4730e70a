/** Attacks by links and files of another user at places where a command of root writes. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { modeOf } from '../../../src/base/trusted-folders.ts';
import { harmOf } from '../harm.ts';
import type { NeighbourAttack } from './attack.ts';

const LOOKS_WITHIN_MS = 60_000;

export const LINK_ATTACKS: readonly NeighbourAttack[] = [
  {
    name: 'links at --html and --save, which come while why is at work',
    attempt: async (stage) => {
      const { home } = stage.mallory;
      const names = ['report.html', 'kept'].map((name) => path.join(home, name));
      const targets = names.map((name) => path.join(path.dirname(stage.decoys.file), `new-${path.basename(name)}`));
      const [html = '', kept = ''] = names;
      const args = ['why', '--runtime-dir', stage.runtimeDirectory, '--no-census', '--html', html, '--save', kept];
      const running = stage.root.run(args);
      if (!(await isLooking(html))) throw new Error(`why has looked at nothing: ${(await running).output}`);
      const place = 'for name, target in zip(NAMES, TARGETS): os.symlink(target, name)';
      await stage.mallory.run(place, { NAMES: names, TARGETS: targets });
      const harm = harmOf('why', await running);
      // Again, with the links in place from the start.
      harm.push(...harmOf('why', await stage.root.run(args)));
      await stage.mallory.run('for name in NAMES: os.unlink(name)', { NAMES: names });
      return harm;
    },
  },
  {
    name: 'a link at --html and an open file at --save, to be replaced by --force',
    attempt: async (stage) => {
      const { home } = stage.mallory;
      const html = path.join(home, 'report.html');
      const kept = path.join(home, 'kept');
      const weapon = await stage.mallory.begin(
        `
os.symlink(SECRET, HTML)
open(KEPT, "w").write("mine\\n")
held = open(KEPT)
tell("at work")
while os.stat(KEPT).st_ino == os.fstat(held.fileno()).st_ino and os.fstat(held.fileno()).st_size == 5:
    time.sleep(0.01)
time.sleep(0.2)
tell(json.dumps(held.read()))
`,
        { HTML: html, KEPT: kept, SECRET: stage.decoys.file },
      );
      const args = ['why', '--runtime-dir', stage.runtimeDirectory, '--no-census', '--force'];
      const ran = await stage.root.run([...args, '--html', html, '--save', kept]);
      const harm = harmOf('why', ran);
      if (ran.status !== 0) throw new Error(`why was to replace them: ${ran.output}`);
      await weapon.ended;
      if (weapon.said.at(-1) !== JSON.stringify('mine\n')) harm.push('another user reads what root has written');
      for (const file of [html, kept]) {
        const { uid } = lstatSync(file);
        const mode = modeOf(lstatSync(file));
        if (uid !== 0 || mode !== '0600') harm.push(`${file} is open to others: user ${uid}, mode ${mode}`);
      }
      return harm;
    },
  },
  {
    name: 'a link at --pid',
    attempt: async (stage) => {
      const pidFile = path.join(stage.mallory.home, 'herd.pid');
      await stage.mallory.run('os.symlink(SECRET, PID_FILE)', { SECRET: stage.decoys.file, PID_FILE: pidFile });
      const words = [
        'attacked:app',
        '--python',
        stage.python,
        '--bind',
        `unix:${path.join(stage.folder, 'other.sock')}`,
      ];
      const more = ['--runtime-dir', path.join(stage.folder, 'other'), '--pid', pidFile];
      let isNew = false;
      const ran = await stage.root.serve([...words, ...more], { cwd: stage.folder }, (pid) => {
        const isFile = lstatSync(pidFile, { throwIfNoEntry: false })?.isFile() === true;
        isNew = isFile && readFileSync(pidFile, 'utf8') === `${pid}\n`;
      });
      return [...harmOf('serve', ran), ...(ran.served && !isNew ? ['the pid file is no new file'] : [])];
    },
  },
];

/** Waits until the command with this word in its arguments reads the memory of other processes. */
async function isLooking(word: string): Promise<boolean> {
  const isRunning = (pid: string): boolean => readOr(`/proc/${pid}/cmdline`).split('\0').includes(word);
  const reads = (pid: string): boolean =>
    namesIn(`/proc/${pid}/fd`).some((name) =>
      /^\/proc\/\d+\/(?:mem|pagemap)$/.test(targetOf(`/proc/${pid}/fd/${name}`)),
    );
  for (const until = performance.now() + LOOKS_WITHIN_MS; performance.now() < until; await sleep(2)) {
    if (namesIn('/proc').some((pid) => /^\d+$/.test(pid) && isRunning(pid) && reads(pid))) return true;
  }
  return false;
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}
