"""gunicorn's configuration, read by gunicorn's own code, with errors that a person can act on."""

from __future__ import annotations

import argparse
import inspect
import os
import sys
from typing import Any, NoReturn

import gunicorn
from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.config import Config
from gunicorn.errors import ConfigError

import cowherd_agent.settings as cowherd_settings
from cowherd_agent import __version__
from cowherd_agent.failures import MoldFailure
from cowherd_agent.meter import wrap
from cowherd_agent.warmup import Interface


class CowherdConfig(Config):  # type: ignore[misc]
    """gunicorn's Config whose command line parser raises instead of printing and exiting."""

    def parser(self) -> Any:
        parser = super().parser()

        def error(text: str) -> NoReturn:
            code, detail = cowherd_settings.explain_usage_error(parser, text)
            raise MoldFailure(code, detail)

        parser.error = error
        for action in parser._actions:
            if isinstance(action, argparse._VersionAction):
                action.version = f"cowherd {__version__} (gunicorn {gunicorn.__version__})"
        return parser


class MoldApplication(WSGIApplication):  # type: ignore[misc]
    """gunicorn's application object: reads the settings and loads the app, once, in the mold.

    The loaded app is kept in ``original`` and handed to workers wrapped by the request meter.
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
            # Of the settings as a whole; gunicorn 27 and newer.
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
        except SystemExit as error:
            # gunicorn has printed the traceback of the configuration file.
            if error.code in (0, None):
                raise
            raise MoldFailure(
                "INVALID_SETTING", "the configuration file can't be executed (see above)"
            ) from error
        except Exception as error:
            raise MoldFailure("INVALID_SETTING", str(error) or type(error).__name__) from error

    def _find_certificates(self) -> None:
        """As gunicorn does where it makes its sockets (gunicorn/sock.py, create_sockets)."""
        for name, path in (("certfile", self.cfg.certfile), ("keyfile", self.cfg.keyfile)):
            if path and not os.path.exists(path):
                raise MoldFailure("INVALID_SETTING", f"{name} {path!r} does not exist")

    def load_config_from_module_name_or_filename(self, location: str) -> dict[str, Any]:
        namespace: dict[str, Any] = super().load_config_from_module_name_or_filename(location)
        mistyped = mistyped_setting(namespace, list(self.cfg.settings))
        if mistyped is not None:
            name, near = mistyped
            raise MoldFailure(
                "UNKNOWN_SETTING",
                f"{name} in {location} is not a setting; the nearest is {near}"
                f" (a helper variable of your own may be called _{name})",
            )
        return namespace

    @property
    def interface(self) -> Interface:
        """Which protocol the worker class speaks with the app."""
        for ancestor in inspect.getmro(self.cfg.worker_class):
            module = ancestor.__module__
            if module.startswith(("uvicorn", "gunicorn.workers.gasgi")):
                return "asgi"
        return "wsgi"

    def load(self) -> Any:
        self.original = super().load()
        return wrap(self.original, self.interface)


def explain_worker_class(error: Exception) -> str:
    """One line of gunicorn's several, which end with a traceback (gunicorn/util.py, load_class)."""
    lines = [line.strip(" []:") for line in str(error).splitlines()]
    told = [line for line in lines if line]
    if len(told) < 2:
        return f"worker_class: {told[0] if told else type(error).__name__}"
    return f"worker_class: {told[0]} ({told[-1]})"


def mistyped_setting(namespace: dict[str, Any], settings: list[str]) -> tuple[str, str] | None:
    """The first name of a configuration file that is nearly a setting's, with that setting.

    gunicorn ignores names that it does not know, since a configuration file may have helpers
    of its own; a plain value called ``worker`` or ``timout`` is a slip all the same.
    """
    import difflib

    for name, value in namespace.items():
        if name.startswith("_") or name in settings:
            continue
        if inspect.ismodule(value) or inspect.isclass(value):
            continue
        # Anything imported from elsewhere belongs to where it came from.
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


def describe(application: MoldApplication) -> dict[str, Any]:
    """The settings that the supervisor acts on, as plain data; seconds, bytes and counts."""
    cfg = application.cfg
    try:
        addresses = [_address(each) for each in cfg.address]
    except RuntimeError as error:
        raise MoldFailure("INVALID_SETTING", f"bind: {error}".rstrip(".")) from error
    return {
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
        "heap_policy": cfg.heap_policy,
        "warmup": cfg.warmup,
        "gc_guard": cfg.gc_guard,
        "sampling_budget_percent": cfg.sampling_budget,
        "boot_timeout_seconds": cfg.boot_timeout,
        "max_requests": cfg.max_requests,
        "max_requests_jitter": cfg.max_requests_jitter,
        "refork_after": cfg.refork_after,
        "refork_by_benefit": cfg.refork_by_benefit,
        "exit_when_hopeless": cfg.exit_when_hopeless,
        "heal": cfg.heal,
        "recycle_private_bytes": cfg.recycle_private,
        "recycle_pss_bytes": cfg.recycle_pss,
        "recycle_rss_bytes": cfg.recycle_rss,
        "recycle_samples": cfg.recycle_samples,
        "recycle_age_seconds": cfg.recycle_age,
        "recycle_age_jitter_seconds": cfg.recycle_age_jitter,
        "herd_memory": cfg.herd_memory,
        "errorlog": cfg.errorlog if cfg.errorlog == "-" else os.path.abspath(cfg.errorlog),
    }


def _address(address: Any) -> dict[str, Any]:
    if isinstance(address, tuple):
        return {"kind": "tcp", "host": address[0], "port": address[1]}
    if isinstance(address, str):
        # gunicorn has changed to its chdir by now; the keeper has not.
        return {"kind": "unix", "path": os.path.abspath(address)}
    # Of a socket that Cowherd was started with.
    return {"kind": "fd", "descriptor": address}
