/**
 * How each kind of server is started, with the settings that its users have: the same application, the same number
 * of sync workers, no keep-alive, no access log.
 */
import path from 'node:path';
import { APPS, COWHERD, FEED, GUNICORN, HELLO, PYTHON, UWSGI } from './places.ts';

export type Policy = 'stock' | 'instagram' | 'freeze' | 'immortal' | 'auto';
export const POLICIES: readonly Policy[] = ['stock', 'instagram', 'freeze', 'immortal', 'auto'];

export type Server =
  | { readonly kind: 'gunicorn'; readonly preload: boolean; readonly reloadBy?: 'HUP' | 'USR2' }
  | { readonly kind: 'uwsgi'; readonly reloadBy?: 'chain' }
  | { readonly kind: 'cowherd'; readonly policy: Policy; readonly samplingBudgetPercent?: number };

export const gunicornPreload: Server = { kind: 'gunicorn', preload: true };
export const gunicornPlain: Server = { kind: 'gunicorn', preload: false };
export const uwsgi: Server = { kind: 'uwsgi' };
/** Servers as they are set up by who reloads them: gunicorn's and uWSGI's own ways. */
export const gunicornHup: Server = { kind: 'gunicorn', preload: false, reloadBy: 'HUP' };
export const gunicornUsr2: Server = { kind: 'gunicorn', preload: true, reloadBy: 'USR2' };
export const uwsgiChain: Server = { kind: 'uwsgi', reloadBy: 'chain' };
export const cowherd = (policy: Policy): Server => ({ kind: 'cowherd', policy });

/**
 * Each worker says in the log that it has loaded the application; and eight that load it at once on two cores have the
 * time for it, which gunicorn's 30 seconds are not on every machine.
 */
const RELOADABLE = ['--config', path.join(import.meta.dirname, 'tell_booted.py'), '--timeout', '120'];

export type App = 'feed' | 'hello' | 'warming';

/** The address that a server answers at as soon as it can, touching nothing. */
export const HEALTH: Readonly<Record<App, string>> = { feed: '/healthz', hello: '/', warming: '/healthz' };

export interface Place {
  readonly app: App;
  readonly port: number;
  readonly workers: number;
  /** A folder of its own for sockets and the like. */
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
  return { command: COWHERD, args: cowherdArguments(server.policy, server.samplingBudgetPercent, place), cwd };
}

const FOLDERS: Readonly<Record<App, string>> = { feed: FEED, hello: HELLO, warming: APPS };
const MODULES: Readonly<Record<App, string>> = { feed: 'feed.wsgi', hello: 'hello', warming: 'warming:app' };

/** What gunicorn and Cowherd both take. */
function commonArguments({ app, port, workers }: Place): string[] {
  return [MODULES[app], '--bind', `127.0.0.1:${port}`, '--workers', String(workers), '--worker-class', 'sync'];
}

function gunicornArguments(preload: boolean, place: Place): string[] {
  // Its control socket would lie in the user's home, one for all that run there.
  const args = [...commonArguments(place), '--control-socket', path.join(place.folder, 'gunicorn.ctl')];
  return preload ? [...args, '--preload'] : args;
}

function uwsgiArguments({ app, port, workers }: Place): string[] {
  const options = {
    '--processes': String(workers),
    '--http-socket': `127.0.0.1:${port}`,
    '--module': `${MODULES[app]}:application`,
    '--listen': '100',
    // By itself uWSGI takes SIGTERM for a reload; this is how its documentation makes it a graceful stop.
    '--hook-master-start': 'unix_signal:15 gracefully_kill_them_all',
  };
  return ['--master', '--single-interpreter', '--need-app', '--disable-logging', ...Object.entries(options).flat()];
}

/** A chain reload loads new code only where each worker loads the application itself. */
function chainArguments(place: Place): string[] {
  return ['--lazy-apps', '--touch-chain-reload', reloadFileOf(place.folder)];
}

/** The file by whose change uWSGI is told to reload; it has to be there from the start. */
export function reloadFileOf(folder: string): string {
  return path.join(folder, 'reload');
}

function cowherdArguments(policy: Policy, samplingBudgetPercent: number | undefined, place: Place): string[] {
  const options = { '--policy': policy, '--python': PYTHON, '--runtime-dir': path.join(place.folder, 'run') };
  const args = ['serve', ...commonArguments(place), ...Object.entries(options).flat()];
  if (place.app === 'feed') args.push('--warmup', 'GET /');
  if (samplingBudgetPercent !== undefined) args.push('--sampling-budget', String(samplingBudgetPercent));
  return args;
}
