/** The commands that start gunicorn and Cowherd with the same application and the same arguments. Pure. */
import path from 'node:path';
import type { Application, Site } from './description.ts';
import { CACHE, COWHERD } from './places.ts';

export type ServerKind = 'gunicorn' | 'cowherd';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

export function commandOf(kind: ServerKind, application: Application, site: Site, runtimeDirectory: string): Command {
  const common = [
    application.module,
    '--bind',
    `127.0.0.1:${site.port}`,
    '--workers',
    String(application.workers),
    '--timeout',
    '120',
    ...application.serverArguments,
  ];
  const words =
    kind === 'gunicorn'
      ? [site.program('gunicorn'), ...common, '--preload']
      : [
          COWHERD,
          'serve',
          ...common,
          '--python',
          site.program('python'),
          '--runtime-dir',
          runtimeDirectory,
          '--log-format',
          'json',
        ];
  const [command = '', ...args] =
    application.launcher === undefined ? words : [site.program(application.launcher), ...words];
  return { command, args };
}

/** The environment of an application: a separate home, and its own programs first. */
export function environmentFor(application: Application, site: Site): Record<string, string> {
  const programs = path.dirname(site.program('python'));
  return {
    HOME: site.folder,
    PATH: `${programs}:/usr/local/bin:/usr/bin:/bin`,
    VIRTUAL_ENV: path.dirname(programs),
    LANG: 'C.UTF-8',
    // Site and packages are inside the checkout, but the checkout's commit is not the application's.
    GIT_CEILING_DIRECTORIES: CACHE,
    // The same order of sets in all servers.
    PYTHONHASHSEED: '0',
    ...application.environment(site),
  };
}
