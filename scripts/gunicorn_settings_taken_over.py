"""What Cowherd does with gunicorn's settings, where that is more than leaving them to gunicorn.

gunicorn's code reads every setting (agent/cowherd_agent/mold/gunicorn_settings.py), and gunicorn's
worker classes act on most of them unchanged. gunicorn's arbiter would act on the others; in its
place Cowherd does, or nobody. Those are listed here. docs/settings.md is made from this list, and
agent/tests/test_settings_page.py compares it with the code of both.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["taken over", "unchanged", "no effect"]


class Treatment(NamedTuple):
    """`unchanged` is for settings that gunicorn's own code acts on, but that need a remark."""

    kind: Kind
    text: str


def _taken_over(text: str) -> Treatment:
    return Treatment("taken over", text)


def _unchanged(text: str) -> Treatment:
    return Treatment("unchanged", text)


def _no_effect(text: str) -> Treatment:
    return Treatment("no effect", text)


_NO_DIRTY_ARBITER = (
    "Cowherd does not start gunicorn's dirty arbiter. With `dirty_workers` and `dirty_apps` set, "
    "a warning says so"
)
_OWN_CONTROL_SOCKET = "`cowherd status` and `cowherd stop` use a socket in the runtime directory"

TREATMENTS: dict[str, Treatment] = {
    # Where it listens
    "bind": _taken_over(
        "the keeper makes the sockets and holds them: TCP, IPv6 and Unix, several at once. An "
        "address in use is an error at once, without gunicorn's five attempts. `fd://N`, and the "
        "sockets of systemd, replace all other addresses, as in gunicorn"
    ),
    "backlog": _taken_over("the keeper listens with this backlog"),
    "reuse_port": _taken_over(
        "the flag is set on the one socket that all workers share; gunicorn makes a socket for "
        "each worker from 24 on"
    ),
    "umask": _taken_over(
        "for the files of Unix sockets, which the keeper makes; unchanged for workers' temporary "
        "files"
    ),
    "user": _taken_over(
        "workers switch to this user, by gunicorn's own code, and the keeper makes it the owner of "
        "the files of Unix sockets. Supervisor, keeper and mold keep their user"
    ),
    "group": _taken_over("as `user`"),
    "initgroups": _unchanged("applies to workers, and to the child that tries a new mold"),
    "certfile": _taken_over(
        "the mold checks that it exists; workers use it. The log line `Listening at` still says "
        "`http://`"
    ),
    "keyfile": _taken_over("as `certfile`"),
    # The processes
    "workers": _taken_over(
        "the supervisor keeps this many workers alive: 1 to 1,000. Anything else is an error, even "
        "0, with which gunicorn serves nobody. gunicorn's default applies: `$WEB_CONCURRENCY`, "
        "else 1"
    ),
    "preload_app": _taken_over(
        "always on, whatever its value: one mold loads the application and forks every worker"
    ),
    "reload": _taken_over(
        "each worker loads the application itself and shares nothing of it, and a warning says so; "
        "a worker that its reloader ended is replaced"
    ),
    "daemon": _taken_over(
        "the command starts the supervisor in the background, and returns when every worker is "
        "ready, or with the error and its exit status. The supervisor then prints nothing: set "
        "`errorlog`"
    ),
    "enable_stdio_inheritance": _no_effect(
        "with `daemon`, standard input, output and error are `/dev/null`"
    ),
    "pidfile": _taken_over(
        "the supervisor writes its own process id, and removes the file at its end. If the file "
        "names another live process (`PIDFILE_IN_USE`) or can't be written (`PIDFILE_UNWRITABLE`), "
        "the herd does not start, as under gunicorn. If that happens to a new file at a reload, it "
        "is an error in the log, and the herd keeps serving"
    ),
    "chdir": _taken_over(
        "the mold changes to this folder. If it is on the command line, the supervisor looks there "
        "for `.venv`"
    ),
    "pythonpath": _taken_over("the mold puts it on `sys.path`"),
    "raw_env": _unchanged("set in the mold before it loads the application, and in workers"),
    "proc_name": _unchanged(
        "the title of the mold and of workers, where `setproctitle` is installed. The short names "
        "that `top` shows are `cowherd-keeper`, `cowherd-mold` and `cowherd-worker`"
    ),
    "check_config": _taken_over("the mold loads the application and leaves; nothing is served"),
    "print_config": _taken_over("as `check_config`; Cowherd's own settings are printed too"),
    "spew": _taken_over("the mold installs the trace function before it loads the application"),
    # Workers
    "worker_class": _unchanged(
        "tested with `sync`, `gthread`, `asgi`, `gevent` and `uvicorn_worker.UvicornWorker`"
    ),
    "threads": _unchanged("more than 1 turns `sync` into `gthread`, as in gunicorn"),
    "worker_tmp_dir": _unchanged(
        "the file is made and touched, but the supervisor reads heartbeats from the scoreboard"
    ),
    "timeout": _taken_over(
        "the supervisor checks once a second: a worker that is silent for longer gets SIGABRT, and "
        "SIGKILL a second later; 0 switches that off"
    ),
    "graceful_timeout": _taken_over(
        "how long a stop, or a worker that is being replaced, may take before the supervisor "
        "kills; at least 2 s for a stop. Worker classes use it themselves too"
    ),
    "max_requests": _taken_over(
        "the supervisor counts once a second: a worker that has answered this many requests "
        "leaves when its replacement is ready. Only a few are replaced at a time, so a busy worker "
        "answers some more than that (see [recycling.md](recycling.md))"
    ),
    "max_requests_jitter": _taken_over(
        "with `max_requests`; the number that is added depends on the worker's pid, slot and "
        "generation"
    ),
    # Logs
    "errorlog": _taken_over(
        "the supervisor's own lines go there too, once the settings are read; `-` is stderr"
    ),
    "syslog": _taken_over(
        "gunicorn's lines are sent as gunicorn sends them. The supervisor's are sent in the same "
        "form once the settings are read, by a small Python process: Node can't send to /dev/log"
    ),
    "syslog_addr": _taken_over("as `syslog`"),
    "syslog_prefix": _taken_over("as `syslog`"),
    "syslog_facility": _taken_over("as `syslog`"),
    "loglevel": _taken_over("applies to the supervisor's own lines too"),
    "logger_class": _unchanged("if set, that class determines the form of gunicorn's lines"),
    "logconfig": _unchanged("if set, it determines the form of gunicorn's lines"),
    "logconfig_dict": _unchanged("if set, it determines the form of gunicorn's lines"),
    "logconfig_json": _unchanged("if set, it determines the form of gunicorn's lines"),
    "statsd_host": _unchanged(
        "except for the gauge `gunicorn.workers`, which gunicorn's arbiter would send"
    ),
    "enable_backlog_metric": _no_effect("gunicorn's arbiter would send the metric"),
    # Control
    "control_socket": _no_effect(_OWN_CONTROL_SOCKET),
    "control_socket_mode": _no_effect("Cowherd's own control socket is open to its owner only"),
    "control_socket_disable": _no_effect("gunicorn's control socket is never there"),
    # Dirty arbiter
    "dirty_apps": _no_effect(_NO_DIRTY_ARBITER),
    "dirty_workers": _no_effect(_NO_DIRTY_ARBITER),
    "dirty_timeout": _no_effect("there is no dirty arbiter"),
    "dirty_threads": _no_effect("there is no dirty arbiter"),
    "dirty_graceful_timeout": _no_effect("there is no dirty arbiter"),
    "on_dirty_starting": _no_effect("never called: there is no dirty arbiter"),
    "dirty_post_fork": _no_effect("never called: there is no dirty arbiter"),
    "dirty_worker_init": _no_effect("never called: there is no dirty arbiter"),
    "dirty_worker_exit": _no_effect("never called: there is no dirty arbiter"),
    # Hooks of the arbiter
    "on_starting": _taken_over(
        "called in the first mold, when the application is loaded and before it has listeners"
    ),
    "when_ready": _taken_over(
        "called in the first mold, when it has its listeners; warm-up, heap policy and forks come "
        "after"
    ),
    "nworkers_changed": _taken_over(
        "called in the mold, with the number at the start and at each change"
    ),
    "pre_fork": _taken_over("called in the mold before each fork"),
    "post_fork": _taken_over("called in the worker, when the heap policy is applied"),
    "post_worker_init": _unchanged(
        "called in workers, and in the child that tries a new mold before it gets traffic"
    ),
    "child_exit": _taken_over("called in the mold after a worker of its own has ended"),
    "worker_exit": _taken_over("called in the worker, before its atexit hooks"),
    "on_exit": _taken_over("called in the serving generation's mold when the whole herd ends"),
    "on_reload": _taken_over(
        "called in every mold but the first, in place of `on_starting` and `when_ready`"
    ),
    "pre_exec": _no_effect("never called: USR2 does not start another server"),
}

READ_TO_WARN = frozenset({"dirty_apps", "dirty_workers"})
"""Settings without effect that Cowherd's code reads, to warn about them."""

READ_BY_THE_SERVER = ("arbiter.py", "app/base.py")
"""gunicorn's files that Cowherd replaces: a setting that they read needs an entry above."""

SINCE = {
    "24.0": ("asgi_lifespan", "asgi_loop", "protocol", "root_path", "uwsgi_allow_ips"),
    "24.1": ("enable_backlog_metric",),
    "25.0": (
        "asgi_disconnect_grace_period",
        "dirty_apps",
        "dirty_graceful_timeout",
        "dirty_post_fork",
        "dirty_threads",
        "dirty_timeout",
        "dirty_worker_exit",
        "dirty_worker_init",
        "dirty_workers",
        "http2_initial_window_size",
        "http2_max_concurrent_streams",
        "http2_max_frame_size",
        "http2_max_header_list_size",
        "http_protocols",
        "on_dirty_starting",
    ),
    "25.1": ("control_socket", "control_socket_disable", "control_socket_mode"),
    "25.2": ("http_parser",),
    "26.2": ("http2_cleartext",),
    "27.0": ("websocket_max_message_size",),
}
"""Settings that gunicorn 23.0 does not have yet, by the version that brought them: read from the
KNOWN_SETTINGS of each release from 23.0.0 to 27.0.1. None was removed in that time."""
