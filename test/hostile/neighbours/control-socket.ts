/** Attacks on gunicorn's control socket, whose place the settings choose. */
import { lstatSync } from 'node:fs';
import path from 'node:path';
import { harmOf } from '../harm.ts';
import type { Stage } from '../stage.ts';
import type { NeighbourAttack } from './attack.ts';

export const CONTROL_SOCKET_ATTACKS: readonly NeighbourAttack[] = [
  {
    name: 'a link, a socket and a folder of another user at --control-socket',
    attempt: async (stage) => {
      const places = ['/tmp/link.ctl', '/tmp/socket.ctl', path.join(stage.mallory.home, 'gunicorn.ctl')];
      const [link = '', socket = ''] = places;
      await stage.mallory.begin(
        `
os.symlink(SECRET, LINK)
listen(SOCKET, lambda connection: time.sleep(1000))
tell("at work")
time.sleep(1000)
`,
        { SECRET: stage.decoys.file, LINK: link, SOCKET: socket },
      );
      const harm: string[] = [];
      for (const place of places) {
        const before = lstatSync(place, { throwIfNoEntry: false });
        const { ran, during } = await servedWith(stage, place, () => lstatSync(place, { throwIfNoEntry: false }));
        harm.push(...harmOf(`serve with ${place}`, ran));
        if (during?.ino !== before?.ino) harm.push(`${place} was made or replaced`);
        if (lstatSync(place, { throwIfNoEntry: false })?.ino !== before?.ino) harm.push(`${place} was removed`);
      }
      await stage.mallory.run('os.unlink(LINK); os.unlink(SOCKET)', { LINK: link, SOCKET: socket });
      return harm;
    },
  },
  {
    name: "a visit of another user at gunicorn's control socket",
    attempt: async (stage) => {
      const place = '/tmp/own.ctl';
      const { ran, during: said } = await servedWith(
        stage,
        place,
        async () =>
          await stage.mallory.run(
            `
try:
    socket.socket(socket.AF_UNIX).connect(PLACE)
    tell("came in")
except PermissionError:
    tell("refused")
try:
    os.rename(PLACE, PLACE + ".mine")
    tell("moved it")
except PermissionError:
    pass
`,
            { PLACE: place },
          ),
      );
      if (said === undefined) throw new Error(`it was not served: ${ran.output}`);
      const left = lstatSync(place, { throwIfNoEntry: false }) === undefined ? [] : [`${place} is left`];
      return [...harmOf('serve', ran), ...(said === 'refused' ? [] : [`another user ${said}`]), ...left];
    },
  },
];

/** Has root serve a herd with this control socket; `look` is called while that serves. */
async function servedWith<Seen>(
  stage: Stage,
  place: string,
  look: () => Promise<Seen> | Seen,
): Promise<{ ran: Awaited<ReturnType<Stage['root']['serve']>>; during: Seen | undefined }> {
  const bind = ['--bind', `unix:${path.join(stage.folder, 'other.sock')}`];
  const words = ['attacked:app', '--python', stage.python, ...bind, '--control-socket', place];
  const more = ['--runtime-dir', path.join(stage.folder, 'other')];
  let during: Seen | undefined;
  const ran = await stage.root.serve([...words, ...more], { cwd: stage.folder }, async () => {
    during = await look();
  });
  return { ran, during };
}
