/** Attacks on root's terminal by the names of processes and files. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { EVIL, EVIL_NAME, harmOf, shows, steers } from '../harm.ts';
import type { Stage } from '../stage.ts';
import type { NeighbourAttack } from './attack.ts';

/** Without slashes, which file names can't have. */
const EVIL_FILE = `lib${EVIL.replaceAll('/', '')}.so`;

export const TERMINAL_ATTACKS: readonly NeighbourAttack[] = [
  {
    name: "escape sequences in the names of a process and of its files, on root's terminal: why",
    attempt: async (stage) => {
      const { child } = await evilFamily(stage);
      const html = path.join(stage.folder, 'why.html');
      const harm: string[] = [];
      for (const [more, terminal] of [
        [[], true],
        [['--all', '--html', html], false],
        [['--json'], true],
      ] as const) {
        const ran = await stage.root.run(['why', `${child}`, ...more], { terminal });
        const what = ['why', ...more].join(' ');
        harm.push(...harmOf(what, ran));
        if (!shows(ran.output)) throw new Error(`${what} shows nothing of the names: ${ran.output}`);
      }
      const page = readFileSync(html, 'utf8');
      if (!shows(page)) throw new Error('the page shows nothing of the names');
      return [...harm, ...harmOf('the page', { status: 0, output: page, peakBytes: 0 })];
    },
  },
  {
    name: "escape sequences in the name of a process, on root's terminal and in the files for others: record",
    attempt: async (stage) => {
      const { child } = await evilFamily(stage);
      const file = path.join(stage.folder, 'record');
      const files = ['html', 'collapsed', 'speedscope'].map((kind) => [`--${kind}`, `${file}.${kind}`]);
      const ran = await stage.root.run(['record', `${child}`, '--seconds', '1', ...files.flat()], { terminal: true });
      const texts = files.map(([, name = '']) => (existsSync(name) ? readFileSync(name, 'utf8') : ''));
      // Without perf, or without one of its events, it ends with an error that shows no name.
      if (ran.status === 0 && !shows(ran.output)) throw new Error(`record shows nothing of the name: ${ran.output}`);
      const steering = texts.flatMap((text) => steers(text) ?? []);
      return [...harmOf('record', ran), ...steering];
    },
  },
];

/** Starts a process of another user and a fork of it. Both have the evil name, and have the file mapped. */
async function evilFamily(stage: Stage): Promise<{ parent: number; child: number }> {
  const weapon = await stage.mallory.begin('family([mapped_file(HOME + "/" + FILE)], NAME)', {
    FILE: EVIL_FILE,
    NAME: EVIL_NAME,
  });
  return JSON.parse(weapon.first) as { parent: number; child: number };
}
