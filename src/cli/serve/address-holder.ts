/** Finds the herd that holds an address in use, and what to do about it. */
import { CowherdError } from '../../base/errors.ts';
import { herdLabel, notesOf } from '../../supervisor/runtime-directory/herd-notes.ts';
import { herdDirectories } from '../herd/herd-directories.ts';
import { type HerdEntry, readHerd } from '../herd/herds.ts';

/** The error with better advice if a herd listens on its address; else the error itself. */
export async function namingHolder(error: CowherdError): Promise<CowherdError> {
  if (error.code !== 'ADDRESS_IN_USE' || error.detail === null) return error;
  const { detail } = error;
  for (const directory of herdDirectories()) {
    // Asks only herds whose notes name the address.
    const listeners = notesOf(directory)?.listeners ?? [];
    if (!listeners.some((listener) => overlaps(listener, detail))) continue;
    const herd = await readHerd(directory);
    if (herd !== null)
      return new CowherdError(error.code, {
        detail,
        advice: adviceOn(herd, { folder: process.cwd(), uid: process.getuid?.() }),
        cause: error,
      });
  }
  return error;
}

/** Pure. `here`: the folder and user of the herd that could not be started. */
export function adviceOn(herd: HerdEntry, here: { readonly folder: string; readonly uid: number | undefined }): string {
  const name = herdLabel(herd);
  const stop = `\`cowherd stop --runtime-dir ${herd.runtime_directory}\` ends it`;
  if (herd.supervised !== false)
    return `The herd ${name} listens there: ${stop}, or choose another address with --bind.`;
  if (herd.uid !== here.uid) {
    return `The herd ${name} of user ${herd.uid ?? '?'} listens there, and its supervisor is gone: ${stop}, or choose another address with --bind.`;
  }
  const whose =
    herd.folder === here.folder
      ? `This folder's own herd ${name} listens there. Its supervisor is gone (keeper ${herd.pid ?? '?'}), and it was started with other arguments`
      : `The herd ${name} listens there, and its supervisor is gone (keeper ${herd.pid ?? '?'})`;
  return (
    `${whose}: --runtime-dir ${herd.runtime_directory} with this command adopts it, and \`cowherd reload\` then takes up` +
    ` these arguments; ${stop}.`
  );
}

/**
 * Whether a listener on the first address prevents listening on the second. Pure.
 *
 * @param listener an address as in the status: `http://127.0.0.1:8000`, `unix:/run/shop.sock`
 * @param asked an address as in the error: without `http://`, and followed by a reason in parentheses
 */
export function overlaps(listener: string, asked: string): boolean {
  const wanted = asked.replace(/ \(.*$/, '');
  if (listener.startsWith('unix:') || wanted.startsWith('unix:')) return listener === wanted;
  const [host, port] = hostAndPort(listener.replace(/^http:\/\//, ''));
  const [wantedHost, wantedPort] = hostAndPort(wanted);
  const all = new Set(['0.0.0.0', '::']);
  return port === wantedPort && (host === wantedHost || all.has(host) || all.has(wantedHost));
}

function hostAndPort(text: string): [string, string] {
  const colon = text.lastIndexOf(':');
  return [text.slice(0, colon).replaceAll(/[[\]]/g, ''), text.slice(colon + 1)];
}
