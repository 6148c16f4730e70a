/** The commands that start gunicorn and Cowherd: same application, same arguments, each with its own defaults. Pure. */
import path from 'node:path';
import { COWHERD } from '../../../bench/lib/places.ts';
import type { Case } from './cases.ts';
import { program } from './places.ts';

export const SERVERS = ['cowherd', 'gunicorn'] as const;
export type ServerName = (typeof SERVERS)[number];

export const WORKERS = 4;

export interface Place {
  readonly port: number;
  /** A folder for this server's sockets and the like. */
  readonly folder: string;
}

export const runtimeDirectoryOf = (folder: string): string => path.join(folder, 'run');

/** The command and its arguments. */
export function commandOf(server: ServerName, tried: Case, { port, folder }: Place): [string, ...string[]] {
  const common = [`${tried.application}:app`, '--bind', `127.0.0.1:${port}`, '--workers', String(WORKERS)];
  const words: [string, ...string[]] =
    server === 'gunicorn'
      ? // By default the control socket is in the user's home, one for all gunicorns of that user.
        [program('gunicorn'), '--preload', '--control-socket', path.join(folder, 'gunicorn.ctl'), ...common]
      : [
          COWHERD,
          'serve',
          ...common,
          '--python',
          program('python'),
          '--runtime-dir',
          runtimeDirectoryOf(folder),
          '--log-format',
          'json',
        ];
  return tried.launcher === null ? words : [program(tried.launcher), ...words];
}
