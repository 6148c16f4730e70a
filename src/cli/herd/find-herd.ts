/** Which running herd a command means. */
import { basename, resolve } from 'node:path';
import { CowherdError } from '../../base/errors.ts';
import { isThere } from '../../supervisor/control/control.ts';
import { notesOf } from '../../supervisor/runtime-directory/herd-notes.ts';
import { herdNamePrefix } from '../../supervisor/runtime-directory/runtime-directory.ts';
import { ownHerdDirectories } from './herd-directories.ts';
import { type HerdEntry, listHerds } from './herds.ts';
import { formatHerds } from './list-table.ts';

/**
 * The runtime directory given; else that of the only herd of this user that was started from the current folder, with
 * or without a supervisor. Never one of another folder, even where no other runs: it would be somebody else's site.
 *
 * @throws CowherdError NOT_RUNNING, SEVERAL_RUNNING; both show the herds that there are
 */
export async function findHerd(given: string | undefined): Promise<string> {
  if (given !== undefined) return resolve(given);
  const here = ownHerdDirectories().filter(isOfThisFolder);
  const there: string[] = [];
  for (const directory of here) if (await isThere(directory)) there.push(directory);
  const [only, ...others] = there;
  if (only === undefined) throw notRunningHere(await listHerds());
  if (others.length === 0) return only;
  const herds = await listHerds();
  throw new CowherdError('SEVERAL_RUNNING', {
    detail: `${there.length} were started in ${process.cwd()}`,
    above: formatHerds(
      herds.filter(({ runtime_directory: directory }) => there.includes(directory)),
      process.getuid?.(),
    ),
  });
}

function isOfThisFolder(directory: string): boolean {
  const folder = notesOf(directory)?.folder ?? undefined;
  // Without the supervisor's notes, on a full disk for example, the name is what is left.
  return folder === undefined
    ? basename(directory).startsWith(herdNamePrefix(process.cwd()))
    : folder === process.cwd();
}

function notRunningHere(herds: readonly HerdEntry[]): CowherdError {
  const detail = `none was started in ${process.cwd()}`;
  if (herds.length === 0) return new CowherdError('NOT_RUNNING', { detail });
  return new CowherdError('NOT_RUNNING', {
    detail: `${detail}; herds of other folders are left alone`,
    advice: "Run the command in the herd's folder, or choose its runtime directory with --runtime-dir.",
    above: formatHerds(herds, process.getuid?.()),
  });
}
