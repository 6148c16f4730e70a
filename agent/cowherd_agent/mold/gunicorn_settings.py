"""gunicorn's configuration, read by gunicorn's own code, with errors that a person can act on."""

from __future__ import annotations

import argparse
import difflib
import importlib.machinery
import importlib.util
import inspect
import os
import re
import sys
from typing import TYPE_CHECKING, Any, NoReturn, cast

import gunicorn
from gunicorn import util
from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.config import Config
from gunicorn.errors import ConfigError
from gunicorn.workers import SUPPORTED_WORKERS

import cowherd_agent.mold.own_settings as cowherd_settings
from cowherd_agent import __version__
from cowherd_agent.collection.request_counter import Interface, wrap
from cowherd_agent.failures import MoldFailure
from cowherd_agent.logs import syslog_relay
from cowherd_agent.mold.hooks import print_own_traceback
from cowherd_agent.mold.setting_sources import CMD_ARGS, COMMAND_LINE, Sources

if TYPE_CHECKING:
    from cowherd_agent.wire.settings_types import Address, Settings

# The same as `cowherd scale` takes (src/supervisor/herd/state.ts).
MOST_WORKERS = 1000

# Packages that worker classes come from, by the module that is missing without them.
_PACKAGES = {
    "eventlet": "eventlet",
    "gevent": "gevent",
    "tornado": "tornado",
    "uvicorn": "uvicorn",
    "uvicorn_worker": "uvicorn-worker",
}


class CowherdConfig(Config):  # type: ignore[misc]
    """gunicorn's Config, which raises its errors, and says what is wrong and where."""

    def __init__(self, usage: str | None = None, prog: str | None = None) -> None:
        super().__init__(usage, prog)
        self.sources = Sources()

    def set(self, name: str, value: Any) -> None:
        self.sources.note(name, value)
        try:
            super().set(name, value)
        except (TypeError, ValueError) as error:
            text = str(error).rstrip(".")
            told = text if text.startswith(name) else f"{name}: {text}"
            raise MoldFailure("INVALID_SETTING", f"{told}{self.sources.suffix(name)}") from error

    def get_cmd_args_from_env(self) -> list[str]:
        try:
            words: list[str] = super().get_cmd_args_from_env()
        except ValueError as error:
            raise MoldFailure("INVALID_SETTING", f"GUNICORN_CMD_ARGS: {error}") from error
        return words

    def parser(self) -> Any:
        parser = super().parser()
        # gunicorn parses the command line first, and GUNICORN_CMD_ARGS with the same parser.
        where = COMMAND_LINE
        parse_args = parser.parse_args

        def parse(words: list[str] | None = None, namespace: Any = None) -> Any:
            nonlocal where
            where = COMMAND_LINE if words is None else CMD_ARGS
            parsed = parse_args(words, namespace)
            self.sources.parsed(where, parsed)
            return parsed

        def error(text: str) -> NoReturn:
            code, detail = cowherd_settings.explain_usage_error(parser, text)
            raise MoldFailure(code, detail if where == COMMAND_LINE else f"{detail} ({where})")

        parser.parse_args = parse
        parser.error = error
        for action in parser._actions:
            if isinstance(action, argparse._VersionAction):
                action.version = f"cowherd {__version__} (gunicorn {gunicorn.__version__})"
        return parser


class MoldApplication(WSGIApplication):  # type: ignore[misc]
    """gunicorn's application object: reads the settings and loads the app, once, in the mold.

    The loaded app is kept in ``original`` and handed to workers wrapped by the request counter.
    """

    def __init__(self) -> None:
        self.original: Any = None
        super().__init__("%(prog)s [OPTIONS] [APP_MODULE]", prog="cowherd serve")

    def load_default_config(self) -> None:
        self.cfg = CowherdConfig(self.usage, prog=self.prog)

    def do_load_config(self) -> None:
        """Reads every source of settings. Raises MoldFailure."""
        self.load_default_config()
        try:
            self.load_config()
            self._check_workers()
            # Checks the settings as a whole; gunicorn 27 and newer.
            if hasattr(Config, "validate"):
                self.cfg.validate()
            self._find_certificates()
        except MoldFailure:
            raise
        except ConfigError as error:
            if "No application module" in str(error):
                raise MoldFailure(
                    "USAGE", "no application given: write `cowherd serve myproject.wsgi`"
                ) from error
            raise MoldFailure("INVALID_SETTING", str(error)) from error
        except Exception as error:
            raise MoldFailure("INVALID_SETTING", str(error) or type(error).__name__) from error

    def _check_workers(self) -> None:
        workers = self.cfg.workers
        if not 1 <= workers <= MOST_WORKERS:
            raise MoldFailure(
                "INVALID_SETTING",
                f"workers must be between 1 and {MOST_WORKERS:,}; it is {workers:,}"
                f"{self.cfg.sources.suffix('workers')}",
            )

    def _find_certificates(self) -> None:
        """As gunicorn does when it makes its sockets (gunicorn/sock.py, create_sockets)."""
        for name, path in (("certfile", self.cfg.certfile), ("keyfile", self.cfg.keyfile)):
            if path and not os.path.exists(path):
                raise MoldFailure("INVALID_SETTING", f"{name} {path!r} does not exist")

    def get_config_from_filename(self, filename: str) -> dict[str, Any]:
        """As gunicorn executes it, but an error shows only the file's own frames and one line."""
        if not os.path.exists(filename):
            raise RuntimeError(f"the configuration file {filename!r} doesn't exist")
        name = "__config__"
        spec = importlib.util.spec_from_file_location(name, filename)
        if spec is None:
            util.warn("configuration file should have a valid Python extension.\n")
            loader = importlib.machinery.SourceFileLoader(name, filename)
            spec = importlib.util.spec_from_file_location(name, filename, loader=loader)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except (Exception, SystemExit) as error:
            print_own_traceback(error)
            raise MoldFailure(
                "INVALID_SETTING",
                f"{filename} can't be executed: {type(error).__name__}: {error}",
            ) from error
        return vars(module)

    def load_config_from_module_name_or_filename(self, location: str) -> dict[str, Any]:
        self.cfg.sources.file = location
        try:
            namespace: dict[str, Any] = super().load_config_from_module_name_or_filename(location)
        finally:
            self.cfg.sources.file = None
        mistyped = mistyped_setting(namespace, list(self.cfg.settings))
        if mistyped is not None:
            name, near = mistyped
            raise MoldFailure(
                "UNKNOWN_SETTING",
                f"{name} in {location} is not a setting; the nearest is {near}"
                f" (to keep it as your own variable, call it _{name})",
            )
        return namespace

    @property
    def interface(self) -> Interface:
        """The protocol that the worker class speaks with the app."""
        for ancestor in inspect.getmro(self.cfg.worker_class):
            module = ancestor.__module__
            if module.startswith(("uvicorn", "gunicorn.workers.gasgi")):
                return "asgi"
        return "wsgi"

    def load(self) -> Any:
        self.original = super().load()
        return wrap(self.original, self.interface)


def explain_worker_class(error: Exception, cfg: Config) -> str:
    """One line of gunicorn's several, which end with a traceback (gunicorn/util.py, load_class)."""
    lines = [line.strip(" []:") for line in str(error).splitlines()]
    told = [line for line in lines if line] or [type(error).__name__]
    why = f" ({told[-1]})" if len(told) > 1 else ""
    hint = _worker_class_hint(str(cfg.settings["worker_class"].get()), told[-1])
    return f"worker_class: {told[0]}{why}{cfg.sources.suffix('worker_class')}{hint}"


def _worker_class_hint(name: str, reason: str) -> str:
    missing = re.search(r"No module named '(\w+)|need (\w+) installed", reason)
    too_old = re.search(r"requires (\w+) ([\d.]*\d) or higher", reason)
    wanted = None
    if too_old is not None:
        wanted = f"'{too_old[1]}>={too_old[2]}'"
    elif missing is not None:
        wanted = _PACKAGES.get(missing[1] or missing[2])
    if wanted is not None:
        return f"; install it: {sys.executable} -m pip install {wanted}"
    near = difflib.get_close_matches(name, SUPPORTED_WORKERS, n=1)
    return f"; the nearest is {near[0]}" if near and name not in SUPPORTED_WORKERS else ""


def mistyped_setting(namespace: dict[str, Any], settings: list[str]) -> tuple[str, str] | None:
    """The first name in a configuration file that is nearly a setting's, with that setting.

    gunicorn ignores names that it does not know, since a configuration file may have its own
    helpers. But a plain value called ``worker`` or ``timout`` is a slip.
    """
    for name, value in namespace.items():
        if name.startswith("_") or name in settings:
            continue
        if inspect.ismodule(value) or inspect.isclass(value):
            continue
        # Anything imported belongs to its own module.
        if callable(value) and getattr(value, "__module__", None) != namespace.get("__name__"):
            continue
        near = difflib.get_close_matches(name.lower(), settings, n=1, cutoff=0.84)
        if near:
            return name, near[0]
    return None


def read_application(arguments: list[str]) -> MoldApplication:
    """Reads settings from the command line, the environment and the configuration file.

    Raises MoldFailure, or SystemExit(0) after ``--help`` or ``--version``.
    """
    sys.argv = ["cowherd serve", *arguments]
    return MoldApplication()


def describe(application: MoldApplication) -> Settings:
    """The settings that the supervisor acts on, as plain data; seconds, bytes and counts."""
    cfg = application.cfg
    where = cfg.sources.suffix("bind")
    for each in cfg.settings["bind"].get():
        # gunicorn takes the number for a host, and adds its usual port.
        if re.fullmatch(r"\d+", each) and each != "0":
            raise MoldFailure(
                "INVALID_SETTING",
                f"bind: {each!r} is a port without a host; write 127.0.0.1:{each} for this machine"
                f" or 0.0.0.0:{each} for all{where}",
            )
    try:
        addresses = [_address(each) for each in cfg.address]
    except RuntimeError as error:
        raise MoldFailure("INVALID_SETTING", f"bind: {error}".rstrip(".") + where) from error
    settings = {
        "app": application.app_uri or "",
        "proc_name": cfg.proc_name,
        "chdir": cfg.chdir,
        "addresses": addresses,
        "backlog": cfg.backlog,
        "reuse_port": cfg.reuse_port,
        "umask": cfg.umask,
        "uid": cfg.uid,
        "gid": cfg.gid,
        "workers": cfg.workers,
        "threads": cfg.threads,
        "worker_class": cfg.worker_class_str,
        "timeout_seconds": cfg.timeout,
        "graceful_timeout_seconds": cfg.graceful_timeout,
        "pidfile": cfg.pidfile and os.path.abspath(cfg.pidfile),
        "daemon": cfg.daemon,
        "reload": cfg.reload,
        "log_level": str(cfg.loglevel).lower(),
        "max_requests": cfg.max_requests,
        "max_requests_jitter": cfg.max_requests_jitter,
        **cowherd_settings.values_for_the_supervisor(cfg),
        "syslog": syslog_relay.target_of(cfg),
        "errorlog": cfg.errorlog if cfg.errorlog == "-" else os.path.abspath(cfg.errorlog),
    }
    # With its own settings from their table, which a test compares with the type.
    return cast("Settings", settings)


def _address(address: Any) -> Address:
    if isinstance(address, tuple):
        return {"kind": "tcp", "host": address[0], "port": address[1]}
    if isinstance(address, str):
        # gunicorn has changed to its chdir by now; the keeper has not.
        return {"kind": "unix", "path": os.path.abspath(address)}
    # A socket that Cowherd was started with.
    return {"kind": "fd", "descriptor": address}
