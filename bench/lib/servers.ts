/**
 * How each kind of server is started, with the settings that its users have: the same application, the same number
 * of sync workers, no keep-alive, no access log.
 */
import path from 'node:path';
import { COWHERD, FEED, GUNICORN, HELLO, PYTHON, UWSGI } from './places.ts';

export type Policy = 'stock' | 'instagram' | 'freeze' | 'immortal' | 'auto';
export const POLICIES: readonly Policy[] = ['stock', 'instagram', 'freeze', 'immortal', 'auto'];

export type Server =
  | { readonly kind: 'gunicorn'; readonly preload: boolean }
  | { readonly kind: 'uwsgi' }
  | { readonly kind: 'cowherd'; readonly policy: Policy; readonly samplingBudgetPercent?: number };

export const gunicornPreload: Server = { kind: 'gunicorn', preload: true };
export const gunicornPlain: Server = { kind: 'gunicorn', preload: false };
export const uwsgi: Server = { kind: 'uwsgi' };
export const cowherd = (policy: Policy): Server => ({ kind: 'cowherd', policy });

export type App = 'feed' | 'hello';

/** The address that a server answers at as soon as it can, touching nothing. */
export const HEALTH: Readonly<Record<App, string>> = { feed: '/healthz', hello: '/' };

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
  if (server.kind === 'gunicorn') return server.preload ? 'gunicorn --preload' : 'gunicorn';
  return server.kind === 'uwsgi' ? 'uWSGI' : `cowherd ${server.policy}`;
}

/** Pure. */
export function commandOf(server: Server, place: Place): Command {
  const cwd = place.app === 'feed' ? FEED : HELLO;
  if (server.kind === 'gunicorn') return { command: GUNICORN, args: gunicornArguments(server.preload, place), cwd };
  if (server.kind === 'uwsgi') return { command: UWSGI, args: uwsgiArguments(place), cwd };
  return { command: COWHERD, args: cowherdArguments(server.policy, server.samplingBudgetPercent, place), cwd };
}

const moduleOf = (app: App): string => (app === 'feed' ? 'feed.wsgi' : 'hello');

/** What gunicorn and Cowherd both take. */
function commonArguments({ app, port, workers }: Place): string[] {
  return [moduleOf(app), '--bind', `127.0.0.1:${port}`, '--workers', String(workers), '--worker-class', 'sync'];
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
    '--module': `${moduleOf(app)}:application`,
    '--listen': '100',
    // By itself uWSGI takes SIGTERM for a reload; this is how its documentation makes it a graceful stop.
    '--hook-master-start': 'unix_signal:15 gracefully_kill_them_all',
  };
  return ['--master', '--single-interpreter', '--need-app', '--disable-logging', ...Object.entries(options).flat()];
}

function cowherdArguments(policy: Policy, samplingBudgetPercent: number | undefined, place: Place): string[] {
  const options = { '--policy': policy, '--python': PYTHON, '--runtime-dir': path.join(place.folder, 'run') };
  const args = ['serve', ...commonArguments(place), ...Object.entries(options).flat()];
  if (place.app === 'feed') args.push('--warmup', 'GET /');
  if (samplingBudgetPercent !== undefined) args.push('--sampling-budget', String(samplingBudgetPercent));
  return args;
}
