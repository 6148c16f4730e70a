/**
 * The command that starts each kind of server, with the usual settings of its users: the same application, the same
 * number of sync workers, no keep-alive, no access log.
 */
import path from 'node:path';
import { APPS, COWHERD, FEED, GUNICORN, HELLO, PYTHON, UWSGI } from './places.ts';

export type Policy = 'stock' | 'instagram' | 'freeze' | 'immortal' | 'auto';
export const POLICIES: readonly Policy[] = ['stock', 'instagram', 'freeze', 'immortal', 'auto'];

export type Server =
  | { readonly kind: 'gunicorn'; readonly preload: boolean; readonly reloadBy?: 'HUP' | 'USR2' }
  | { readonly kind: 'uwsgi'; readonly reloadBy?: 'chain' }
  | {
      readonly kind: 'cowherd';
      readonly policy: Policy;
      readonly samplingBudgetPercent?: number;
      /** Of 127.0.0.1, where metrics are served. */
      readonly metricsPort?: number;
    };

export const gunicornPreload: Server = { kind: 'gunicorn', preload: true };
export const gunicornPlain: Server = { kind: 'gunicorn', preload: false };
export const uwsgi: Server = { kind: 'uwsgi' };
/** Servers set up for reloads, in the ways that gunicorn and uWSGI have for that. */
export const gunicornHup: Server = { kind: 'gunicorn', preload: false, reloadBy: 'HUP' };
export const gunicornUsr2: Server = { kind: 'gunicorn', preload: true, reloadBy: 'USR2' };
export const uwsgiChain: Server = { kind: 'uwsgi', reloadBy: 'chain' };
export const cowherd = (policy: Policy): Server => ({ kind: 'cowherd', policy });

/**
 * Each worker logs that it has loaded the application. The timeout is longer than gunicorn's 30 seconds, which are too
 * short on some machines when eight workers load the application at once on two cores.
 */
const RELOADABLE = ['--config', path.join(import.meta.dirname, 'tell_booted.py'), '--timeout', '120'];

export type App = 'feed' | 'hello' | 'warming';

/** A path that each application answers early and without touching its data. */
export const HEALTH: Readonly<Record<App, string>> = { feed: '/healthz', hello: '/', warming: '/healthz' };

export interface Place {
  readonly app: App;
  readonly port: number;
  readonly workers: number;
  /** A folder for this server's sockets and the like. */
  readonly folder: string;
}

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** Short, for tables and results. */
export function nameOf(server: Server): string {
  if (server.kind === 'cowherd') return `cowherd ${server.policy}`;
  const name = server.kind === 'uwsgi' ? 'uWSGI' : server.preload ? 'gunicorn --preload' : 'gunicorn';
  return server.reloadBy === undefined ? name : `${name}, ${server.reloadBy}`;
}

/** Pure. */
export function commandOf(server: Server, place: Place): Command {
  const cwd = FOLDERS[place.app];
  if (server.kind === 'gunicorn') {
    const args = gunicornArguments(server.preload, place);
    return { command: GUNICORN, args: server.reloadBy === undefined ? args : [...args, ...RELOADABLE], cwd };
  }
  if (server.kind === 'uwsgi') {
    const args = uwsgiArguments(place);
    return { command: UWSGI, args: server.reloadBy === undefined ? args : [...args, ...chainArguments(place)], cwd };
  }
  return { command: COWHERD, args: cowherdArguments(server, place), cwd };
}

const FOLDERS: Readonly<Record<App, string>> = { feed: FEED, hello: HELLO, warming: APPS };
const MODULES: Readonly<Record<App, string>> = { feed: 'feed.wsgi', hello: 'hello', warming: 'warming:app' };

/** What gunicorn and Cowherd both take. */
function commonArguments({ app, port, workers }: Place): string[] {
  return [MODULES[app], '--bind', `127.0.0.1:${port}`, '--workers', String(workers), '--worker-class', 'sync'];
}

function gunicornArguments(preload: boolean, place: Place): string[] {
  // By default the control socket is in the user's home, one for all gunicorns of that user.
  const args = [...commonArguments(place), '--control-socket', path.join(place.folder, 'gunicorn.ctl')];
  return preload ? [...args, '--preload'] : args;
}

function uwsgiArguments({ app, port, workers }: Place): string[] {
  const options = {
    '--processes': String(workers),
    '--http-socket': `127.0.0.1:${port}`,
    '--module': `${MODULES[app]}:application`,
    '--listen': '100',
    // By default uWSGI reloads on SIGTERM; its documentation makes SIGTERM a graceful stop in this way.
    '--hook-master-start': 'unix_signal:15 gracefully_kill_them_all',
  };
  return ['--master', '--single-interpreter', '--need-app', '--disable-logging', ...Object.entries(options).flat()];
}

/** A chain reload loads new code only where each worker loads the application itself. */
function chainArguments(place: Place): string[] {
  return ['--lazy-apps', '--touch-chain-reload', reloadFileOf(place.folder)];
}

/** Touching this file makes uWSGI reload. It has to exist from the start. */
export function reloadFileOf(folder: string): string {
  return path.join(folder, 'reload');
}

function cowherdArguments(
  { policy, samplingBudgetPercent, metricsPort }: Extract<Server, { kind: 'cowherd' }>,
  place: Place,
): string[] {
  const options = { '--policy': policy, '--python': PYTHON, '--runtime-dir': path.join(place.folder, 'run') };
  const args = ['serve', ...commonArguments(place), ...Object.entries(options).flat()];
  if (place.app === 'feed') args.push('--warmup', 'GET /');
  if (samplingBudgetPercent !== undefined) args.push('--sampling-budget', String(samplingBudgetPercent));
  if (metricsPort !== undefined) args.push('--metrics', `127.0.0.1:${metricsPort}`);
  return args;
}
