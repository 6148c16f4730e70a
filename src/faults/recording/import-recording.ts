/** Reads a recording made elsewhere: a perf.data, or the text that `perf script` printed of one. */
import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { CowherdError, isSystemError } from '../../base/errors.ts';
import { FaultReader, type FaultReaderOptions } from '../profile/fault-reader.ts';
import { examinePerfData, HEAD_BYTES } from '../perf/perf-data.ts';
import { requirePerf } from './perf-command.ts';
import { PerfScriptParser } from '../perf/perf-script.ts';
import { readScript, spawnScript } from './perf-pipe.ts';

/** Without the faults' addresses: a recording may lack them, and which pages were shared is not known anyway. */
const FIELDS = 'comm,pid,tid,time,event,trace,ip,sym,symoff,dso';

/** Options for a recording about which nothing else is known. */
export const FROM_ELSEWHERE: FaultReaderOptions = {
  excluded: new Set(),
  sharedPagesOf: null,
  startSeconds: () => null,
  unwound: false,
  maps: null,
};

/** @throws CowherdError RECORDING_UNREADABLE, PERF_MISSING, PERF_TOO_OLD */
export async function importRecording(path: string): Promise<FaultReader> {
  const { head, bytes } = readHead(path);
  const found = examinePerfData(head, bytes);
  const reader = new FaultReader(FROM_ELSEWHERE);
  if (found.kind === 'other') {
    if (head.includes(0)) throw unreadable(path, 'it is neither a perf.data nor a text');
    await readText(path, reader);
  } else {
    if (found.problem !== null) throw unreadable(path, found.problem);
    await requirePerf();
    await readPerfData(path, reader);
  }
  if (reader.profile.faults + reader.notCopies === 0) throw unreadable(path, nothingIn(reader));
  return reader;
}

function readHead(path: string): { head: Buffer; bytes: number } {
  try {
    const descriptor = openSync(path, 'r');
    try {
      const stat = fstatSync(descriptor);
      if (!stat.isFile()) throw unreadable(path, 'it is no file');
      if (stat.size === 0) throw unreadable(path, 'it is empty');
      const head = Buffer.alloc(HEAD_BYTES);
      return { head: head.subarray(0, readSync(descriptor, head, 0, head.length, 0)), bytes: stat.size };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (error instanceof CowherdError || !isSystemError(error)) throw error;
    throw unreadable(path, error.code ?? error.message, error);
  }
}

async function readText(path: string, reader: FaultReader): Promise<void> {
  const parser = new PerfScriptParser(reader);
  const stream = createReadStream(path, { encoding: 'utf8', highWaterMark: 1024 * 1024 });
  for await (const chunk of stream) {
    parser.push(chunk as string);
    if (reader.firstUnreadable !== null) break;
  }
  if (reader.firstUnreadable !== null) {
    throw unreadable(path, `line ${reader.firstUnreadable.number} is not of perf script`);
  }
  if (!parser.end()) throw unreadable(path, 'it ends in the middle of a line');
}

async function readPerfData(path: string, reader: FaultReader): Promise<void> {
  const script = spawnScript(['-F', FIELDS, '-i', path]);
  script.stdin?.end();
  const { status, stderr } = await readScript(script, reader);
  const complaint = stderr
    .split('\n')
    .map((line) => line.trim())
    .find((line) => /fail|corrupt|incompatible|invalid|unexpected|zero-sized|bad|truncat|error/i.test(line));
  if (status !== 0) {
    throw unreadable(path, complaint ?? `perf script ended with ${status === null ? 'a signal' : `status ${status}`}`);
  }
  // perf script may read a damaged file as far as it can and exit with status 0.
  if (complaint !== undefined && /failed to (read|process)|corrupt|truncat|unexpected/i.test(complaint)) {
    throw unreadable(path, complaint);
  }
}

function nothingIn({ otherEvents, unreadable: lines }: FaultReader): string {
  if (otherEvents.size === 0) return lines === 0 ? 'there is no page fault in it' : 'it is no output of perf script';
  return `there is no page fault in it, but ${[...otherEvents.keys()].slice(0, 5).join(', ')}`;
}

function unreadable(path: string, what: string, cause?: unknown): CowherdError {
  return new CowherdError('RECORDING_UNREADABLE', { detail: `${path}: ${what.replace(/\.$/, '')}`, cause });
}
