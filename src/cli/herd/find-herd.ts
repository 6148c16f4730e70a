/** Finds the running herd that a command is for. */
import { basename, resolve } from 'node:path';
import { CowherdError } from '../../base/errors.ts';
import { isThere } from '../../supervisor/control/control.ts';
import { notesOf } from '../../supervisor/runtime-directory/herd-notes.ts';
import { herdNamePrefix } from '../../supervisor/runtime-directory/runtime-directory.ts';
import { ownHerdDirectories } from './herd-directories.ts';
import { type HerdEntry, listHerds } from './herds.ts';
import { formatHerds } from './list-table.ts';

/**
 * The runtime directory given; else that of the only herd of this user started from the current folder, with or without
 * a supervisor. Never a herd of another folder, even if no other runs: it could be another site.
 *
 * @throws CowherdError NOT_RUNNING, SEVERAL_RUNNING; both list the existing herds
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
  // Without the supervisor's notes, for example on a full disk, only the directory's name tells.
  return folder === undefined
    ? basename(directory).startsWith(herdNamePrefix(process.cwd()))
    : folder === process.cwd();
}

function notRunningHere(herds: readonly HerdEntry[]): CowherdError {
  const detail = `none was started in ${process.cwd()}`;
  if (herds.length === 0) return new CowherdError('NOT_RUNNING', { detail });
  return new CowherdError('NOT_RUNNING', {
    detail: `${detail}, and those of other folders are left alone`,
    advice:
      'Run the command in the folder of the herd that you mean, or name its runtime directory with --runtime-dir.',
    above: formatHerds(herds, process.getuid?.()),
  });
}
