/**
 * The records of a herd's restarts, which outlive the herd: one JSON object per line, in the user's state directory,
 * open to its owner only.
 */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import * as v from 'valibot';
import { isSystemError } from '../../base/errors.ts';
import { firstIssue } from '../../base/first-issue.ts';
import { makeFolders } from '../../base/make-folders.ts';
import { appendToOwn, readBounded, replaceFile } from '../../base/safe-file.ts';
import { whyNotTrusted } from '../../base/trusted-folders.ts';
import { restartRecord } from './record-schema.ts';
import { RECORD_VERSION, type RestartRecord } from './restart-record.ts';
import { nameOfDirectory } from '../runtime-directory/runtime-directory.ts';

export const MOST_RECORDS = 200;

/** Herds that were tried only once leave a history, too: the latest ones in a folder are kept. */
const MOST_HISTORIES = 100;

/** The maximum size of a history; a record has some 1,000 bytes. */
const MOST_BYTES = 16 * 1024 * 1024;

const ENDING = '.jsonl';
/** Names made by `nameOfDirectory`, and no others that may be in the folder. */
const OWN_NAME = /-[\da-f]{6}\.jsonl$/;

/** The inputs to the choice of the folder. */
export interface StateEnvironment {
  /** systemd's StateDirectory= (systemd.exec(5)); several are separated by colons. */
  stateDirectory: string | undefined;
  xdgStateHome: string | undefined;
  uid: number;
  home: string;
}

/** The folder with the histories of this user's herds (XDG Base Directory Specification). */
export function historyFolder(environment: StateEnvironment): string {
  const given = environment.stateDirectory?.split(':')[0] ?? '';
  if (given !== '') return given;
  const { xdgStateHome = '' } = environment;
  // The specification says to ignore relative paths.
  if (xdgStateHome.startsWith('/')) return join(xdgStateHome, 'cowherd');
  return environment.uid === 0 ? '/var/lib/cowherd' : join(environment.home, '.local', 'state', 'cowherd');
}

/** Reads the inputs of `historyFolder` from this process. */
export function readStateEnvironment(): StateEnvironment {
  const uid = process.getuid?.() ?? 0;
  return {
    stateDirectory: process.env['STATE_DIRECTORY'],
    xdgStateHome: trusted(process.env['XDG_STATE_HOME'], uid),
    uid,
    home: homedir(),
  };
}

/** Guards root: `sudo -E` keeps another user's variable, which could lead root's files to any folder. */
function trusted(given: string | undefined, uid: number): string | undefined {
  if (given === undefined || uid !== 0 || !given.startsWith('/')) return given;
  return whyNotTrusted(join(given, 'cowherd'), { uid }) === null ? given : undefined;
}

/** The file of the herd with this runtime directory, whether it runs or not. */
export function historyFile(folder: string, runtimeDirectory: string): string {
  return join(folder, `${nameOfDirectory(resolve(runtimeDirectory))}${ENDING}`);
}

/**
 * Adds a record, and drops all but the last 200.
 *
 * @throws the error of the system, if it can't be written
 */
export function appendRecord(file: string, record: RestartRecord): void {
  makeFolders(dirname(file));
  const line = `${JSON.stringify(record)}\n`;
  const text = readIfThere(file);
  const lines = linesOf(text);
  if (lines.length < MOST_RECORDS) {
    // A full disk may have truncated the previous line.
    if (text === '') removeOldest(dirname(file));
    appendToOwn(file, text === '' || text.endsWith('\n') ? line : `\n${line}`, 0o600);
    return;
  }
  replaceFile(file, [...lines.slice(1 - MOST_RECORDS), line].join('\n'), 0o600);
}

/**
 * Returns a function that writes records of the herd with this runtime directory, best effort: it warns of the first
 * failure.
 */
export function historyWriter(runtimeDirectory: string, warn: (text: string) => void): (record: RestartRecord) => void {
  const file = historyFile(historyFolder(readStateEnvironment()), runtimeDirectory);
  let hasWarned = false;
  return (record) => {
    try {
      appendRecord(file, record);
    } catch (error) {
      if (!hasWarned) warn(`Restarts are not recorded for \`cowherd history\`: ${String(error)}`);
      hasWarned = true;
    }
  };
}

export interface History {
  /** Oldest first. */
  readonly records: readonly RestartRecord[];
  /** The lines that are no records of this version, with the reason of each: `line 3: it is of version 2, not 1`. */
  readonly leftOut: readonly string[];
}

/**
 * Reads a history. A line that is no record, for example one truncated by a full disk, is left out.
 *
 * @throws the error of the system, or one that says that the file is too large
 */
export function readHistory(file: string): History {
  const records: RestartRecord[] = [];
  const leftOut: string[] = [];
  for (const [index, line] of readIfThere(file).split('\n').entries()) {
    if (line === '') continue;
    const record = recordIn(line);
    if (typeof record === 'string') leftOut.push(`line ${index + 1}: ${record}`);
    else records.push(record);
  }
  return { records, leftOut };
}

const header = v.object({ version: v.number() });

/** The record in a line, or why there is none. */
function recordIn(line: string): RestartRecord | string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return 'it is no JSON';
  }
  const read = v.safeParse(header, parsed);
  if (!read.success) return firstIssue(read.issues);
  const { version } = read.output;
  if (version !== RECORD_VERSION) return `it is of version ${version}, not ${RECORD_VERSION}`;
  const record = v.safeParse(restartRecord, parsed);
  return record.success ? record.output : firstIssue(record.issues);
}

/** The histories in a folder, the latest written first. */
export function listHistories(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(ENDING))
      .map((name) => join(folder, name))
      .map((file) => ({ file, writtenAtMs: statSync(file).mtimeMs }))
      .toSorted((a, b) => b.writtenAtMs - a.writtenAtMs)
      .map(({ file }) => file);
  } catch {
    return [];
  }
}

function removeOldest(folder: string): void {
  const own = listHistories(folder).filter((file) => OWN_NAME.test(file));
  for (const file of own.slice(MOST_HISTORIES - 1)) rmSync(file, { force: true });
}

function readIfThere(file: string): string {
  try {
    return readBounded(file, { mostBytes: MOST_BYTES, noLink: true }).toString('utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return '';
    throw error;
  }
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
