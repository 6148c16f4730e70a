/**
 * The error catalogue: every way in which Cowherd can refuse or give up, with its exit status, what happened and what
 * to do next. docs/errors.md is the same catalogue for people; a test compares the two, both ways.
 *
 * Exit statuses are an interface for scripts: they never change once released. 1, 3 and 4 mean the same as in gunicorn
 * (gunicorn/arbiter.py: WORKER_BOOT_ERROR, APP_LOAD_ERROR; gunicorn/app/base.py exits with 1 on a configuration error),
 * 2 the same as in most commands. 64 and up are left free: sysexits.h uses them, and shells use 128 and up for signals.
 */

export interface CatalogueEntry {
  readonly exitStatus: number;
  /** What happened. The detail, which names the object, follows after a colon. */
  readonly title: string;
  /** What to do next: one or two sentences. */
  readonly advice: string;
}

function defineCatalogue<Code extends string>(entries: Readonly<Record<Code, CatalogueEntry>>): typeof entries {
  return entries;
}

export const catalogue = defineCatalogue({
  // The command line and the settings.
  INVALID_SETTING: {
    exitStatus: 1,
    title: 'A setting has an invalid value',
    advice: 'Correct it where it is set: the command line, GUNICORN_CMD_ARGS, gunicorn.conf.py or the environment.',
  },
  USAGE: {
    exitStatus: 2,
    title: 'Invalid command line',
    advice: 'Run `cowherd --help`, or `cowherd COMMAND --help`, for usage.',
  },
  UNKNOWN_SETTING: {
    exitStatus: 5,
    title: 'Unknown setting',
    advice: 'Check the spelling; docs/settings.md lists every setting.',
  },

  HOOK_FAILED: {
    exitStatus: 8,
    title: 'A server hook raised an exception',
    advice: 'See its traceback above. Correct the hook in gunicorn.conf.py.',
  },

  // The application.
  WORKER_BOOT_FAILED: {
    exitStatus: 3,
    title: 'A worker failed to start',
    advice:
      'See the traceback above: the application or a server hook raised it in the worker. Correct it and start again.',
  },
  APP_IMPORT_FAILED: {
    exitStatus: 4,
    title: 'The application cannot be imported',
    advice:
      'Check the name (MODULE:VARIABLE), the folder (--chdir) and the interpreter (--python). If the application itself raised an exception, its traceback is above.',
  },
  APP_NOT_CALLABLE: {
    exitStatus: 6,
    title: 'The imported object is not an application',
    advice: 'Name the WSGI or ASGI callable after a colon, for example myproject.wsgi:application.',
  },
  APP_LEFT_THREADS: {
    exitStatus: 7,
    title: 'The application started something that its workers cannot use after the fork',
    advice:
      'Start it in the post_worker_init hook instead, so that each worker has its own, or pass --allow-threads if the workers do not use it.',
  },
  WORKERS_KEEP_DYING: {
    exitStatus: 9,
    title: 'Workers die as fast as they are replaced',
    advice:
      'The log above says how each one ended: by a signal, with an exit status, or killed by the kernel for lack of memory.',
  },

  // The addresses.
  ADDRESS_IN_USE: {
    exitStatus: 10,
    title: 'The address is already in use',
    advice: 'Stop the process that listens there (`ss -ltnp` shows it), or choose another address with --bind.',
  },
  ADDRESS_UNAVAILABLE: {
    exitStatus: 11,
    title: 'Cannot listen on the address',
    advice: 'Check the host name and the port (below 1024 needs privileges), or the folder of the socket file.',
  },

  // The interpreter.
  NO_PYTHON: {
    exitStatus: 12,
    title: 'No Python was found',
    advice: 'Install CPython 3.10 or newer, or name one with --python.',
  },
  PYTHON_NOT_FOUND: {
    exitStatus: 13,
    title: 'The interpreter cannot be run',
    advice:
      'Check the path given with --python, or the virtual environment; `cowherd doctor` lists the interpreters found.',
  },
  PYTHON_TOO_OLD: {
    exitStatus: 14,
    title: 'The interpreter is too old',
    advice: 'Cowherd needs CPython 3.10 or newer; `cowherd doctor` lists the interpreters found.',
  },
  NO_GUNICORN: {
    exitStatus: 15,
    title: 'gunicorn is not installed in the interpreter',
    advice: "Install it there: PYTHON -m pip install 'gunicorn>=23'; `cowherd doctor` prints the exact line.",
  },
  GUNICORN_TOO_OLD: {
    exitStatus: 16,
    title: 'gunicorn is too old',
    advice: "Cowherd needs gunicorn 23 or newer: PYTHON -m pip install --upgrade 'gunicorn>=23'.",
  },
  POLICY_UNAVAILABLE: {
    exitStatus: 17,
    title: 'This heap policy is not available on this interpreter',
    advice: 'Choose an available one, or `auto`; `cowherd doctor` shows which policies each interpreter supports.',
  },

  // The machine.
  NOT_LINUX: {
    exitStatus: 18,
    title: 'This is not Linux',
    advice:
      'Cowherd reads /proc and needs a child subreaper: run it on Linux 3.4 or newer, for example in a container.',
  },
  NODE_TOO_OLD: {
    exitStatus: 19,
    title: 'Node is too old',
    advice: 'Cowherd needs Node 20.19 or newer.',
  },
  NO_NODE: {
    exitStatus: 63,
    title: 'There is no Node to run',
    advice: 'Install Node 20.19 or newer, or name one by its path in COWHERD_NODE.',
  },
  NOT_BUILT: {
    exitStatus: 29,
    title: 'Cowherd is not built yet',
    advice: 'Run `make build` in the checkout.',
  },
  TOO_FEW_DESCRIPTORS: {
    exitStatus: 44,
    title: 'The limit on open files is too low',
    advice: 'Raise it with `ulimit -n 1024`, or LimitNOFILE= in a systemd unit: a server needs hundreds.',
  },
  RUNTIME_DIRECTORY_UNWRITABLE: {
    exitStatus: 20,
    title: 'The runtime directory cannot be written to',
    advice: 'Make it writable for this user, with mode 0700, or choose another with --runtime-dir.',
  },
  RUNTIME_DIRECTORY_UNSAFE: {
    exitStatus: 43,
    title: 'The runtime directory is not private to this herd',
    advice:
      'Pass --runtime-dir a folder that does not exist yet, or an empty one that this user owns, with mode 0700. Only this user and root may have write access to the folders above it.',
  },
  RUNTIME_DIRECTORY_TOO_LONG: {
    exitStatus: 21,
    title: 'The path of the runtime directory is too long for a socket',
    advice: 'The path of a Unix socket has at most 107 bytes (unix(7)): choose a shorter directory with --runtime-dir.',
  },
  RUNTIME_DIRECTORY_BUSY: {
    exitStatus: 22,
    title: 'Another supervisor runs in the runtime directory',
    advice:
      'Stop it with `cowherd stop`, or choose another directory with --runtime-dir. To upgrade Cowherd under a running herd, see docs/upgrading.md.',
  },

  // Cowherd's processes.
  MOLD_DIED: {
    exitStatus: 23,
    title: 'The mold died',
    advice:
      'See the log above: a traceback there names the cause. Without one, most often a C extension crashed at import: `python -X faulthandler -c "import MODULE"` shows where.',
  },
  MOLD_NOT_STARTED: {
    exitStatus: 28,
    title: 'The mold process could not be started',
    advice:
      'Most often the interpreter, or the folder that the herd was started in, is gone. Bring it back, or start the herd again from their new location. A herd in service keeps serving.',
  },
  MOLD_OUT_OF_MEMORY: {
    exitStatus: 24,
    title: 'The mold ran out of memory',
    advice:
      'Give the host or the cgroup more memory (`cowherd doctor` shows the limit), or make the application load less.',
  },
  KEEPER_DIED: {
    exitStatus: 25,
    title: 'The keeper died',
    advice:
      'The keeper holds the listening sockets, so nothing can be served without it. It died several times in a row; the log above says how each time.',
  },
  PROTOCOL_MISMATCH: {
    exitStatus: 26,
    title: 'Two parts of Cowherd do not understand each other',
    advice: 'Their versions differ: restart the part that still runs the old one, or install Cowherd again.',
  },
  INTERNAL: {
    exitStatus: 27,
    title: 'Internal error in Cowherd',
    advice: 'Please report it with the lines above.',
  },

  // The other commands.
  NOT_RUNNING: {
    exitStatus: 30,
    title: 'No herd is running here',
    advice: 'Start one with `cowherd serve`. `cowherd list` shows herds that run elsewhere.',
  },
  SEVERAL_RUNNING: {
    exitStatus: 31,
    title: 'Several herds are running here',
    advice: 'Choose one with --runtime-dir; the table above lists their directories.',
  },
  STOP_TIMED_OUT: {
    exitStatus: 32,
    title: 'The herd did not stop in time',
    advice:
      'Requests may still be in flight: `cowherd status` shows them. Wait longer with --timeout, or raise --graceful-timeout.',
  },
  NO_ANSWER: {
    exitStatus: 33,
    title: 'The supervisor does not answer',
    advice: 'It may be stopped or overloaded: look at its log, then kill it by its process id.',
  },
  PIDFILE_IN_USE: {
    exitStatus: 34,
    title: 'The pid file names a running process',
    advice:
      'Another server may be using it: stop that server, or choose another file with --pid. If the file is stale, remove it.',
  },
  PIDFILE_UNWRITABLE: {
    exitStatus: 41,
    title: 'The pid file cannot be written',
    advice: 'Its folder must exist and be writable for this user. Or choose another file with --pid.',
  },
  NO_EXAMPLE: {
    exitStatus: 35,
    title: 'The bundled application is missing or cannot be prepared',
    advice: 'Run `make demo` in a checkout, which installs what it needs.',
  },
  ROLLOUT_REFUSED: {
    exitStatus: 36,
    title: "The herd can't do that right now",
    advice: '`cowherd status` shows what it is doing. Try again when that has finished.',
  },
  ROLLOUT_FAILED: {
    exitStatus: 37,
    title: 'The new generation did not come into service',
    advice: "The old one keeps serving. The server's log has the traceback; correct the cause and try again.",
  },
  CANARY_FAILED: {
    exitStatus: 45,
    title: 'A process forked from the new mold does not work',
    advice:
      'The log above has its traceback or, if it hung, its stack. docs/fork-safety.md explains what a fork must not share, and what the canary checks.',
  },
  ROLLOUT_TIMED_OUT: {
    exitStatus: 38,
    title: 'The new generation is not in service yet',
    advice: '`cowherd status` shows its progress. Wait longer with --timeout, or cancel it with `cowherd rollback`.',
  },
  SUPERVISOR_GONE: {
    exitStatus: 39,
    title: 'The supervisor is gone; its herd keeps serving',
    advice: '`cowherd serve` with the same arguments in the same folder adopts the herd; `cowherd stop` ends it.',
  },
  KEEPER_NO_ANSWER: {
    exitStatus: 40,
    title: 'The keeper of a herd without a supervisor does not answer',
    advice:
      'It may be stopped (SIGSTOP) or overloaded. If that lasts, kill it by its process id (`ss -lxp` shows it): its workers then finish their requests and exit.',
  },
  FORK_UNSAFE: {
    exitStatus: 42,
    title: 'The process to fork from holds something that workers must not share',
    advice:
      'Stop or close it in the before_mold hook; docs/fork-safety.md and docs/refork.md show how. A generation in service keeps serving.',
  },

  // Inspecting processes.
  PROCESS_NOT_FOUND: {
    exitStatus: 46,
    title: 'There is no such process',
    advice: '`ps -ef` lists the running ones.',
  },
  PROCESS_NOT_READABLE: {
    exitStatus: 47,
    title: 'No permission to read the memory of the process',
    advice:
      'Run the command as the user of that process or as root (`sudo`). For the process of another user the capability CAP_SYS_PTRACE is enough: `sudo setcap cap_sys_ptrace+ep $(readlink -f $(command -v node))`.',
  },
  NOT_FORKED: {
    exitStatus: 48,
    title: 'There is nothing to compare the process with',
    advice:
      'Name a worker of a prefork server, or the process that its workers were forked from. A server that loads the application in each worker shares nothing.',
  },
  REFERENCE_LOST: {
    exitStatus: 49,
    title: 'The parent that the process was forked from is gone',
    advice: 'Compare it with another worker forked from the same parent: --reference PID.',
  },
  PROCESS_ENDED: {
    exitStatus: 50,
    title: 'A process ended while it was being read',
    advice: 'Try again. If its workers are replaced often, compare two other processes with --reference.',
  },
  OUTPUT_EXISTS: {
    exitStatus: 51,
    title: 'The output file already exists',
    advice: 'Choose another name, or replace it with --force.',
  },
  OUTPUT_FAILED: {
    exitStatus: 62,
    title: 'The output cannot be written',
    advice: 'The disk may be full (`df`), or the file may not be writable.',
  },
  SNAPSHOT_UNREADABLE: {
    exitStatus: 52,
    title: 'The snapshot cannot be read',
    advice: 'It must be a complete file, written by `cowherd why --save FILE` of this version.',
  },
  PERF_MISSING: {
    exitStatus: 53,
    title: 'The perf command was not found',
    advice: 'Install it (Debian: linux-perf; Ubuntu: linux-tools-generic; Fedora: perf), or put it on PATH.',
  },
  PERF_TOO_OLD: {
    exitStatus: 54,
    title: 'The perf command is too old',
    advice: 'Cowherd needs perf 5.10 or newer; a newer perf also works with an older kernel.',
  },
  PERF_NOT_ALLOWED: {
    exitStatus: 55,
    title: 'The kernel does not let this user record',
    advice:
      'Run the command as root (`sudo`). Or allow it with `sudo sysctl kernel.perf_event_paranoid=2`, and run it as the user of the processes.',
  },
  RECORDING_UNREADABLE: {
    exitStatus: 56,
    title: 'The recording cannot be read',
    advice:
      'It must be complete: the file of a `perf record` that ended properly, or the text of `perf script`. docs/record.md has both commands.',
  },
  KSM_UNAVAILABLE: {
    exitStatus: 58,
    title: 'This kernel cannot merge the memory of whole processes',
    advice: 'Merging needs Linux 6.4 or newer, built with CONFIG_KSM. `cowherd doctor` shows what this kernel has.',
  },
  KSM_NOT_ALLOWED: {
    exitStatus: 59,
    title: 'Switching on KSM is not allowed here',
    advice: 'KSM is a setting of the host: run the command as root (`sudo cowherd heal`), outside of any container.',
  },
  CONFIRMATION_NEEDED: {
    exitStatus: 60,
    title: 'Changing a setting of the host needs confirmation',
    advice: 'Run the command on a terminal, where it asks, or pass --yes.',
  },
  NOTHING_TO_MERGE: {
    exitStatus: 61,
    title: 'None of the processes lets the kernel merge its memory',
    advice:
      'Each process must allow it itself, before it forks or in a hook: docs/heal.md has the lines for gunicorn and uWSGI. Cowherd tells its own workers to.',
  },
});
