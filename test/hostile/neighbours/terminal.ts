/** What processes and files are called, at the terminal of root. */
import { spawnSync } from 'node:child_process';
import { EVIL, EVIL_NAME, harmOf, shows } from '../harm.ts';
import type { Stage } from '../stage.ts';
import type { NeighbourAttack } from './attack.ts';

/** A slash would end the name of a file. */
const EVIL_FILE = `lib${EVIL.replaceAll('/', '')}.so`;

export const TERMINAL_ATTACKS: readonly NeighbourAttack[] = [
  {
    name: "escape sequences in the names of a process and of its files, on root's terminal: why",
    attempt: async (stage) => {
      const { child } = await evilFamily(stage);
      const harm: string[] = [];
      for (const [more, terminal] of [
        [[], true],
        [['--all'], false],
        [['--json'], true],
      ] as const) {
        const ran = await stage.root.run(['why', `${child}`, ...more], { terminal });
        const what = ['why', ...more].join(' ');
        harm.push(...harmOf(what, ran));
        if (!shows(ran.output)) throw new Error(`${what} shows nothing of the names: ${ran.output}`);
      }
      return harm;
    },
  },
  {
    name: "escape sequences in the names of a process and of its code, on root's terminal: record",
    attempt: async (stage) => {
      const { child } = await evilFamily(stage);
      await stage.mallory.run('open(MAP, "w").write(f"0 ffffffffffff {EVIL}\\n")', { MAP: mapOf(child), EVIL });
      const ran = await stage.root.run(['record', `${child}`, '--seconds', '1'], { terminal: true });
      // It ends with an error that shows no name where there is no perf.
      const hasPerf = spawnSync('perf', ['--version']).status === 0;
      if (hasPerf && !shows(ran.output)) throw new Error(`record shows nothing of the name: ${ran.output}`);
      return harmOf('record', ran);
    },
  },
];

/** A process of another user and one forked from it; both have the name, and have the file mapped. */
async function evilFamily(stage: Stage): Promise<{ parent: number; child: number }> {
  const weapon = await stage.mallory.begin('family([mapped_file(HOME + "/" + FILE)], NAME)', {
    FILE: EVIL_FILE,
    NAME: EVIL_NAME,
  });
  return JSON.parse(weapon.first) as { parent: number; child: number };
}

/** Where perf looks for the names of code that a process has made itself. */
export function mapOf(pid: number): string {
  return `/tmp/perf-${pid}.map`;
}
