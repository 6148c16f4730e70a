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
    title: 'A setting has a value that it cannot have',
    advice: 'Correct it where it is set: the command line, GUNICORN_CMD_ARGS, gunicorn.conf.py or the environment.',
  },
  USAGE: {
    exitStatus: 2,
    title: 'The command line cannot be understood',
    advice: 'Run `cowherd --help`, or `cowherd COMMAND --help`, for what it can be.',
  },
  UNKNOWN_SETTING: {
    exitStatus: 5,
    title: 'There is no such setting',
    advice: 'Check the spelling; docs/settings.md lists every setting.',
  },

  HOOK_FAILED: {
    exitStatus: 8,
    title: 'A server hook raised an exception',
    advice: 'The traceback above is its own. Correct the hook in gunicorn.conf.py.',
  },

  // The application.
  WORKER_BOOT_FAILED: {
    exitStatus: 3,
    title: 'A worker failed to start',
    advice:
      'The traceback above is of the application or of a server hook, run in the worker. Correct it and start again.',
  },
  APP_IMPORT_FAILED: {
    exitStatus: 4,
    title: 'The application cannot be imported',
    advice:
      'Check the name (MODULE:VARIABLE), the folder (--chdir) and the interpreter (--python). If the application raised an exception itself, its traceback is above.',
  },
  APP_NOT_CALLABLE: {
    exitStatus: 6,
    title: 'What was imported is not an application',
    advice: 'Name the WSGI or ASGI callable after a colon, for example myproject.wsgi:application.',
  },
  APP_LEFT_THREADS: {
    exitStatus: 7,
    title: 'The application has begun what its workers cannot go on with',
    advice:
      'Begin it in the post_worker_init hook instead, so that each worker has its own, or pass --allow-threads if the workers do not use it.',
  },
  WORKERS_KEEP_DYING: {
    exitStatus: 9,
    title: 'Workers die as fast as they are replaced',
    advice:
      'The log above says how each one ended: with a signal, a status, or killed by the kernel for lack of memory.',
  },

  // The addresses.
  ADDRESS_IN_USE: {
    exitStatus: 10,
    title: 'The address is already in use',
    advice: 'Stop what listens there (`ss -ltnp` shows it) or choose another with --bind.',
  },
  ADDRESS_UNAVAILABLE: {
    exitStatus: 11,
    title: 'The address cannot be listened on',
    advice: 'Check the host name and the port (below 1024 needs a privilege), or the folder of the socket file.',
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
    title: 'The heap policy cannot be had in this interpreter',
    advice: 'Choose one that it can do, or `auto`; `cowherd doctor` shows which interpreter can do what.',
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
  NOT_BUILT: {
    exitStatus: 29,
    title: 'Cowherd is not built yet',
    advice: 'Run `make build` in the checkout.',
  },
  TOO_FEW_DESCRIPTORS: {
    exitStatus: 44,
    title: 'Too few files may be open at a time',
    advice: 'Raise the limit, with `ulimit -n 1024` or LimitNOFILE= in a unit of systemd: a server needs hundreds.',
  },
  RUNTIME_DIRECTORY_UNWRITABLE: {
    exitStatus: 20,
    title: 'The runtime directory cannot be written to',
    advice: 'Make it writable for this user, with mode 0700, or choose another with --runtime-dir.',
  },
  RUNTIME_DIRECTORY_UNSAFE: {
    exitStatus: 43,
    title: 'The runtime directory is not for this herd alone',
    advice:
      'Name with --runtime-dir a folder that is not there yet, or an empty one of this user with mode 0700, where only this user and root can write to the folders above.',
  },
  RUNTIME_DIRECTORY_TOO_LONG: {
    exitStatus: 21,
    title: 'The path of the runtime directory is too long for a socket',
    advice: 'A Unix socket has at most 107 bytes of path (unix(7)): choose a shorter one with --runtime-dir.',
  },
  RUNTIME_DIRECTORY_BUSY: {
    exitStatus: 22,
    title: 'Another supervisor runs in the runtime directory',
    advice:
      'Stop it with `cowherd stop`, or choose another directory with --runtime-dir. To exchange Cowherd under its herd, see docs/upgrading.md.',
  },

  // Cowherd's processes.
  MOLD_DIED: {
    exitStatus: 23,
    title: 'The mold died',
    advice:
      'The log above says how. A traceback there names the cause. A crash without a traceback is most often one of a C extension at import: `python -X faulthandler -c "import MODULE"` shows where.',
  },
  MOLD_NOT_STARTED: {
    exitStatus: 28,
    title: 'The process of a mold could not be started',
    advice:
      'Most often the interpreter or the folder that the herd was started in is gone: bring it back, or start the herd anew from where they are now. A herd that serves goes on serving.',
  },
  MOLD_OUT_OF_MEMORY: {
    exitStatus: 24,
    title: 'The mold ran out of memory',
    advice:
      'Give the host or the cgroup more memory (`cowherd doctor` shows the limit), or let the application load less.',
  },
  KEEPER_DIED: {
    exitStatus: 25,
    title: 'The keeper died',
    advice:
      'It holds the listening sockets, so nothing can be served without it, and it has died several times in a row. The log above says how each one ended.',
  },
  PROTOCOL_MISMATCH: {
    exitStatus: 26,
    title: 'Two parts of Cowherd do not understand each other',
    advice: 'They are of different versions: restart what still runs, or install Cowherd again.',
  },
  INTERNAL: {
    exitStatus: 27,
    title: 'Cowherd made a mistake',
    advice: 'Please report it with the lines above.',
  },

  // The other commands.
  NOT_RUNNING: {
    exitStatus: 30,
    title: 'No herd is running here',
    advice: 'Start one with `cowherd serve`. `cowherd list` shows those that run elsewhere.',
  },
  SEVERAL_RUNNING: {
    exitStatus: 31,
    title: 'Several herds are running here',
    advice: 'Say which one with --runtime-dir; the table above has the directory of each.',
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
    advice: 'It may be stopped or overloaded: look at its log, then end it by its process id.',
  },
  PIDFILE_IN_USE: {
    exitStatus: 34,
    title: 'The pid file is of a process that is alive',
    advice:
      'Another server may run with it: stop that one, or choose another file with --pid. Remove the file if it is stale.',
  },
  PIDFILE_UNWRITABLE: {
    exitStatus: 41,
    title: 'The pid file cannot be written',
    advice: 'Its folder must be there and writable for this user; or choose another file with --pid.',
  },
  NO_EXAMPLE: {
    exitStatus: 35,
    title: 'The bundled application is not there or cannot be prepared',
    advice: 'Run `make demo` in a checkout, which installs what it needs.',
  },
  ROLLOUT_REFUSED: {
    exitStatus: 36,
    title: 'The herd does not do that now',
    advice: '`cowherd status` shows what it is doing. Ask again when that has ended.',
  },
  ROLLOUT_FAILED: {
    exitStatus: 37,
    title: 'The new generation did not come into service',
    advice: 'The old one keeps serving. The log of the server has the traceback; correct it and ask again.',
  },
  CANARY_FAILED: {
    exitStatus: 45,
    title: 'A process forked from the new mold does not work',
    advice:
      'The log above has its traceback or, if it hung, its stack. docs/fork-safety.md tells what a fork must not share, and what the canary does.',
  },
  ROLLOUT_TIMED_OUT: {
    exitStatus: 38,
    title: 'The new generation is not in service yet',
    advice:
      '`cowherd status` shows how far it is. Wait longer with --timeout, or take it back with `cowherd rollback`.',
  },
  SUPERVISOR_GONE: {
    exitStatus: 39,
    title: 'The supervisor is gone, and its herd serves on',
    advice: '`cowherd serve` with the same arguments in the same folder adopts the herd; `cowherd stop` ends it.',
  },
  KEEPER_NO_ANSWER: {
    exitStatus: 40,
    title: 'The keeper of a herd without a supervisor does not answer',
    advice:
      'It may be stopped (SIGSTOP) or overloaded. If it stays so, kill it by its process id (`ss -lxp` shows it): its workers then finish and leave.',
  },
  FORK_UNSAFE: {
    exitStatus: 42,
    title: 'The process that was to be forked has what workers must not share',
    advice:
      'Stop or close what it has in the before_mold hook; docs/fork-safety.md and docs/refork.md tell how. A generation that serves goes on.',
  },

  // Inspecting processes.
  PROCESS_NOT_FOUND: {
    exitStatus: 46,
    title: 'There is no such process',
    advice: '`ps -ef` lists those that there are.',
  },
  PROCESS_NOT_READABLE: {
    exitStatus: 47,
    title: 'The memory of the process may not be read',
    advice:
      'Run the command as the user of that process or as root (`sudo`). For one of another user the capability CAP_SYS_PTRACE is enough: `sudo setcap cap_sys_ptrace+ep $(readlink -f $(command -v node))`.',
  },
  NOT_FORKED: {
    exitStatus: 48,
    title: 'There is nothing to compare the process with',
    advice:
      'Name a worker of a prefork server, or the process that its workers were forked from. A server that loads the application in each worker shares nothing.',
  },
  REFERENCE_LOST: {
    exitStatus: 49,
    title: 'The process that it was forked from is gone',
    advice: 'Compare it with another worker, which was forked from the same one: --reference PID.',
  },
  PROCESS_ENDED: {
    exitStatus: 50,
    title: 'A process ended while it was read',
    advice: 'Ask again; a worker that is replaced often may need --reference and another one.',
  },
  OUTPUT_EXISTS: {
    exitStatus: 51,
    title: 'The output file exists already',
    advice: 'Choose another name, or replace it with --force.',
  },
  OUTPUT_FAILED: {
    exitStatus: 62,
    title: 'The output cannot be written',
    advice: 'The disk may be full (`df`), or the file is one that may not be written to.',
  },
  SNAPSHOT_UNREADABLE: {
    exitStatus: 52,
    title: 'The snapshot cannot be read',
    advice: 'It must be a file that `cowherd why --save FILE` has written, whole and of this version.',
  },
  PERF_MISSING: {
    exitStatus: 53,
    title: 'The command perf is not there',
    advice: 'Install it (Debian: linux-perf; Ubuntu: linux-tools-generic; Fedora: perf), or put it on PATH.',
  },
  PERF_TOO_OLD: {
    exitStatus: 54,
    title: 'The command perf is too old',
    advice: 'Cowherd needs perf 5.10 or newer; a newer one works with an older kernel too.',
  },
  PERF_NOT_ALLOWED: {
    exitStatus: 55,
    title: 'The kernel does not let this user record',
    advice:
      'Run the command as root (`sudo`), or allow it: `sudo sysctl kernel.perf_event_paranoid=2`, and as the user of the processes.',
  },
  RECORDING_UNREADABLE: {
    exitStatus: 56,
    title: 'The recording cannot be read',
    advice:
      'It must be whole: what `perf record` has written and ended by itself, or the text of `perf script`. docs/record.md has both commands.',
  },
  CENSUS_UNREADABLE: {
    exitStatus: 57,
    title: 'The census cannot be read',
    advice:
      'It must be a file that write_census has written, whole, in a child of the process that the workers were forked from; docs/why.md shows how. Without it: --no-census.',
  },
  KSM_UNAVAILABLE: {
    exitStatus: 58,
    title: 'This kernel cannot merge the memory of whole processes',
    advice: 'It takes Linux 6.4 or newer, built with CONFIG_KSM. `cowherd doctor` shows what this one has.',
  },
  KSM_NOT_ALLOWED: {
    exitStatus: 59,
    title: 'KSM may not be switched on here',
    advice: 'It is a setting of the host: run the command as root (`sudo cowherd heal`), and outside of a container.',
  },
  CONFIRMATION_NEEDED: {
    exitStatus: 60,
    title: 'A setting of the host would be changed, and nobody has agreed',
    advice: 'Run the command on a terminal, where it asks, or say --yes.',
  },
  NOTHING_TO_MERGE: {
    exitStatus: 61,
    title: 'None of the processes lets the kernel merge its memory',
    advice:
      'Each process has to allow it itself, before it forks or by a hook: docs/heal.md has the lines for gunicorn and uWSGI. Workers of Cowherd are told to.',
  },
});
