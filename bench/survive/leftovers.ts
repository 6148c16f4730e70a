/** What a herd has left behind that it should not have. */
import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { readKernelFile } from '../../src/procfs/read.ts';
import { readStat } from '../../src/procfs/stat.ts';
import type { StatusReport } from '../../src/supervisor/control/status.ts';
import { childrenOf, startedHere } from '../lib/processes.ts';
import type { Herd } from './herd.ts';

/** While it serves and rests: processes that the status does not name, zombies, and temporary files. */
export function leftInServingHerd(herd: Herd, report: StatusReport): string[] {
  const known = new Set([
    report.herd.supervisor.pid,
    report.herd.keeper.pid,
    ...report.molds.map((mold) => mold.pid),
    ...report.workers.map((worker) => worker.pid),
    ...herd.helpers(),
  ]);
  const unknown = startedHere().filter(({ pid }) => !known.has(pid));
  const zombies = childrenOf(report.herd.keeper.pid ?? 0).filter((pid) => readStat(pid)?.state === 'Z');
  return [
    ...unknown.map(({ pid }) => `process ${describe(pid)}`),
    ...zombies.map((pid) => `zombie ${pid}`),
    ...filesUnder(path.join(herd.folder, 'tmp')),
  ];
}

/** After its end: processes, the runtime directory, sockets, temporary files, and somebody who listens. */
export async function leftAfterEnd(herd: Herd): Promise<string[]> {
  const bound = (readKernelFile('/proc/net/unix') ?? '').split('\n').filter((line) => line.includes(herd.folder));
  return [
    ...startedHere().map(({ pid }) => `process ${describe(pid)}`),
    ...(existsSync(herd.runtimeDirectory) ? [herd.runtimeDirectory, ...filesUnder(herd.runtimeDirectory)] : []),
    ...bound.map((line) => `socket ${line.slice(line.indexOf(herd.folder))}`),
    ...filesUnder(path.join(herd.folder, 'tmp')),
    ...((await isListening(herd.port)) ? [`a listener on port ${herd.port}`] : []),
  ];
}

function describe(pid: number): string {
  const commandLine = (readKernelFile(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim();
  return `${pid} (${commandLine.slice(0, 80)})`;
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) =>
    path.join(entry.parentPath, entry.name),
  );
}

async function isListening(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
