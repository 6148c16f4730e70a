"""How a mold gets its application: it reads the settings, then loads the application."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from cowherd_agent.failures import MoldFailure
from cowherd_agent.fork_safety import threads
from cowherd_agent.mold.hooks import print_own_traceback
from cowherd_agent.mold.imports_ahead import import_ahead
from cowherd_agent.mold.monkey_patching import patch_for
from cowherd_agent.mold.near_application import nearest_application
from cowherd_agent.mold.or_end import GoesToBackground
from cowherd_agent.mold.setting_sources import require_web_concurrency
from cowherd_agent.worker import perf_names

if TYPE_CHECKING:
    from cowherd_agent.mold.arbiter import MoldArbiter
    from cowherd_agent.mold.gunicorn_settings import MoldApplication
    from cowherd_agent.mold.herd_heap import HerdHeap
    from cowherd_agent.mold.supervisor_link import SupervisorLink
    from cowherd_agent.wire.command_types import MoldOrder
    from cowherd_agent.wire.settings_types import Settings

OLDEST_GUNICORN = 23


class Configured(NamedTuple):
    """A mold's state once its settings are read; nothing of the application is loaded yet.

    ``settings`` are those that the supervisor acts on (gunicorn_settings.describe).
    """

    application: MoldApplication
    arbiter: MoldArbiter
    heap: HerdHeap
    settings: Settings


def configure(link: SupervisorLink, order: MoldOrder, arguments: Sequence[str]) -> Configured:
    """Reads the settings, and tells them to the supervisor. Raises MoldFailure; SystemExit(0) after
    ``--help`` and the like; GoesToBackground for ``daemon``."""
    threads.record_starts()
    _require_gunicorn()
    require_web_concurrency()
    from gunicorn import debug

    from cowherd_agent.logs.logs import use_json
    from cowherd_agent.mold import gunicorn_settings
    from cowherd_agent.mold.arbiter import MoldArbiter
    from cowherd_agent.mold.herd_heap import HerdHeap

    application = gunicorn_settings.read_application(list(arguments))
    cfg = application.cfg
    _print_or_check(application)
    try:
        _ = cfg.worker_class
    except (RuntimeError, ImportError) as error:
        detail = gunicorn_settings.explain_worker_class(error, cfg)
        raise MoldFailure("INVALID_SETTING", detail) from error
    heap = HerdHeap(
        cfg.heap_policy,
        cfg.gc_guard,
        cfg.collect_after,
        rejected=order["rejected_policies"],
    )
    if cfg.daemon and not order["daemonized"]:
        # Before the app is loaded.
        raise GoesToBackground(0)
    settings = gunicorn_settings.describe(application)
    say_configured(link, settings, heap)
    try:
        arbiter = MoldArbiter(application)
    except RuntimeError as error:
        raise MoldFailure("INVALID_SETTING", str(error)) from error
    _warn_of_what_is_not_done(link, cfg)
    if cfg.spew:
        debug.spew()
    if order["log_format"] == "json":
        use_json(cfg, arbiter.log)
    return Configured(application, arbiter, heap, settings)


def say_configured(link: SupervisorLink, settings: Settings, heap: HerdHeap) -> None:
    """Sends `configured`: the supervisor has the keeper listen while the application is loaded."""
    import gunicorn

    link.send(
        {
            "type": "configured",
            "settings": settings,
            "python_version": ".".join(map(str, sys.version_info[:3])),
            "gunicorn_version": gunicorn.__version__,
            "executable": sys.executable,
            "remarks": heap.remarks,
        }
    )


def load(
    link: SupervisorLink, application: MoldApplication, arbiter: MoldArbiter, heap: HerdHeap
) -> None:
    """Loads the application. Raises MoldFailure."""
    if arbiter.cfg.reload:
        # gunicorn's reloader restarts workers, which then import the new code themselves.
        link.notice(
            "warning", "reload is on: each worker loads the application itself and shares nothing"
        )
        return
    heap.before_load()
    patch_for(arbiter.worker_class)
    modules_before = len(sys.modules)
    started = time.perf_counter()
    link.progress("load", "loading the application", 0.0)
    _import(application)
    link.progress(
        "load",
        "loaded the application, modules",
        time.perf_counter() - started,
        done=len(sys.modules) - modules_before,
        final=True,
    )
    # After the application, as in a worker: the application's own patches are in place by now.
    import_ahead(arbiter.worker_class, arbiter.cfg, arbiter.log.debug)


def _print_or_check(application: MoldApplication) -> None:
    """Handles ``--print-config`` and ``--check-config``, and then ends the process."""
    cfg = application.cfg
    if cfg.print_config:
        print(cfg)
    if cfg.pythonpath:
        for path in cfg.pythonpath.split(","):
            if os.path.abspath(path) not in sys.path:
                sys.path.insert(0, os.path.abspath(path))
    if cfg.print_config or cfg.check_config:
        _import(application)
        raise SystemExit(0)


def _import(application: MoldApplication) -> None:
    from gunicorn.errors import AppImportError

    name = application.app_uri
    try:
        application.wsgi()
    except MemoryError as error:
        detail = f"ran out of memory while loading {name}"
        raise MoldFailure("MOLD_OUT_OF_MEMORY", detail) from error
    except AppImportError as error:
        code = "APP_NOT_CALLABLE" if "callable" in str(error) else "APP_IMPORT_FAILED"
        near = nearest_application(name)
        hint = "" if near is None else f"; the nearest is {near}"
        raise MoldFailure(code, f"{str(error).rstrip('.')}{hint}") from error
    except SystemExit as error:
        print_own_traceback(error)
        detail = f"{name} called sys.exit({error.code!r}) while it was loaded"
        raise MoldFailure("APP_IMPORT_FAILED", detail) from error
    except Exception as error:
        print_own_traceback(error)
        detail = f"{name}: {type(error).__name__}: {error}"
        raise MoldFailure("APP_IMPORT_FAILED", detail) from error


def _warn_of_what_is_not_done(link: SupervisorLink, cfg: Any) -> None:
    # Settings of newer gunicorn versions; older ones do not have them.
    if "dirty_workers" in cfg.settings and cfg.dirty_workers > 0 and cfg.dirty_apps:
        link.notice("warning", "dirty_workers: Cowherd does not start gunicorn's dirty arbiter")
    if cfg.perf_names:
        reason = perf_names.why_not()
        if reason is not None:
            link.notice("warning", f"perf_names: {reason}; Python functions stay unnamed")


def _require_gunicorn() -> None:
    try:
        import gunicorn
    except ImportError as error:
        raise MoldFailure("NO_GUNICORN", sys.executable) from error
    if int(gunicorn.__version__.split(".")[0]) < OLDEST_GUNICORN:
        raise MoldFailure(
            "GUNICORN_TOO_OLD", f"gunicorn {gunicorn.__version__} in {sys.executable}"
        )
