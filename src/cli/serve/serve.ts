/** `cowherd serve`: a herd in the foreground, or in the background with gunicorn's `--daemon`. */
import { spawn } from 'node:child_process';
import { takeInheritedSockets } from '../../agent/inherited-sockets.ts';
import { CowherdError } from '../../base/errors.ts';
import { logFormatFor } from '../../base/log-format.ts';
import { findInterpreter } from '../../cpython/discover.ts';
import { abandon } from '../../supervisor/abandon.ts';
import { isAnswering } from '../../supervisor/control/control.ts';
import { holdSignals } from '../../supervisor/held-signals.ts';
import { herdName, runtimeDirectoryFor } from '../../supervisor/runtime-directory/runtime-directory.ts';
import { parseServeArguments, type ServeArguments } from './serve-arguments.ts';
import { findPredecessor } from '../../supervisor/find-predecessor.ts';
import { type NotifySocket, takeNotifySocket } from '../../supervisor/service-manager/notify-socket.ts';
import { adoptHerd, type StartUp, startUp, wasInBackground } from '../../supervisor/start-up.ts';
import type { SupervisorResult } from '../../supervisor/supervisor-options.ts';

/** Set in the background process that `--daemon` starts. */
const DAEMON_VARIABLE = 'COWHERD_DAEMON';

/**
 * Serves until told to stop.
 *
 * @returns the exit status: 0 after a requested stop, else the error's
 */
export async function runServe(argv: string[]): Promise<number> {
  const parsed = parseServeArguments(argv);
  if (parsed.help) {
    process.stdout.write((await import('./serve-help.ts')).SERVE_HELP);
    return 0;
  }
  const result = await serve(parsed);
  if (result.daemonize) {
    try {
      return await startInBackground(argv);
    } catch (error) {
      throw error instanceof CowherdError ? await namingHolder(error) : error;
    }
  }
  if (result.error !== null) {
    process.send?.({ type: 'failed', code: result.error.code, detail: result.error.detail });
    throw await namingHolder(result.error);
  }
  return result.exitStatus;
}

/** Starts, adopts or follows a herd, and runs its supervisor to the end. */
async function serve(parsed: ServeArguments): Promise<SupervisorResult> {
  if (process.platform !== 'linux') throw new CowherdError('NOT_LINUX', { detail: process.platform });
  const sockets = takeInheritedSockets();
  const notifySocket = takeNotifySocket();
  const logFormat = parsed.logFormat ?? logFormatFor(process.stderr);

  const interpreter = await findInterpreter({
    python: parsed.python,
    projectFolder: parsed.chdir,
    cwd: process.cwd(),
    env: process.env,
  });
  const runtimeDirectory = runtimeDirectoryFor(
    parsed.runtimeDirectory ?? undefined,
    herdName(process.cwd(), parsed.rest),
  );
  if (await isAnswering(runtimeDirectory)) {
    throw new CowherdError('RUNTIME_DIRECTORY_BUSY', { detail: runtimeDirectory });
  }
  const options = {
    python: interpreter.path,
    arguments: parsed.rest,
    runtimeDirectory,
    logFormat,
    sockets,
    daemonized: process.env[DAEMON_VARIABLE] === '1',
  };
  const predecessor = await findPredecessor(runtimeDirectory);
  if (predecessor === null && !options.daemonized && (await wasInBackground(options))) {
    return { exitStatus: 0, error: null, daemonize: true };
  }
  const adopted = predecessor === null ? await adoptHerd(options) : null;
  // Signals are not held for an adopted herd: it has served without a supervisor and can continue to.
  const releaseSignals = adopted === null ? holdSignals() : null;
  const started = adopted ?? startUp(options, predecessor);
  try {
    return await supervise(started, parsed, {
      why: interpreter.why,
      notifySocket,
      onListening: () => releaseSignals?.(),
    });
  } catch (error) {
    await abandon(started);
    throw error;
  }
}

interface Around {
  /** Why this interpreter was chosen. */
  readonly why: string;
  readonly notifySocket: NotifySocket | null;
  readonly onListening: () => void;
}

async function supervise(startUp: StartUp, parsed: ServeArguments, around: Around): Promise<SupervisorResult> {
  // Imported only now, while the interpreter is already at work.
  const { createSupervisorLog, runSupervisor } = await loadSupervisor();
  const { logFormat, python } = startUp;
  const log = createSupervisorLog(logFormat, parsed.logFormat, python);
  if (process.pid === 1) {
    log.warning(
      'Node is process 1 and does not reap orphans: run bin/cowherd itself, or use an init (docs/containers.md)',
    );
  }
  log.info(`Python: ${python} (${around.why})`);
  const result = await runSupervisor({
    startUp,
    log,
    notifySocket: around.notifySocket,
    terminal: process.stderr.isTTY && logFormat === 'text' ? process.stderr : null,
    onConfigured: (settings) => log.follow(settings),
    onReopenLogs: () => log.reopen(),
    onListening: around.onListening,
    onServing: () => {
      log.info('Serving: every worker is ready');
      process.send?.({ type: 'serving' });
    },
  });
  await log.close();
  return result;
}

/** In steps, since Node opens all files of one import at once, and 64 may be too many. */
async function loadSupervisor() {
  const { createSupervisorLog } = await import('./supervisor-log.ts');
  await import('../../supervisor/decisions/decide.ts');
  const { runSupervisor } = await import('../../supervisor/run.ts');
  return { createSupervisorLog, runSupervisor };
}

/** Imports the module on demand, since most starts succeed. */
async function namingHolder(error: CowherdError): Promise<CowherdError> {
  if (error.code !== 'ADDRESS_IN_USE') return error;
  return await (await import('./address-holder.ts')).namingHolder(error);
}

/** Starts the same command detached. Returns when it serves or has failed. */
async function startInBackground(argv: string[]): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', 'serve', ...argv], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...process.env, [DAEMON_VARIABLE]: '1' },
  });
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      reject(new CowherdError('MOLD_DIED', { detail: `the background process exited with ${code ?? '?'}` }));
    });
    child.on('message', (message: { type: string; code?: string; detail?: string }) => {
      child.removeAllListeners('exit');
      child.disconnect();
      child.unref();
      if (message.type === 'serving') {
        process.stdout.write(`Serving in the background: process ${child.pid ?? '?'}\n`);
        resolve(0);
      } else {
        reject(CowherdError.named(message.code ?? '', message.detail ?? ''));
      }
    });
  });
}
