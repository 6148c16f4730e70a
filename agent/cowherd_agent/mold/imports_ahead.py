"""Modules that a worker class imports only in a worker, imported in the mold before the fork.

Some are imported when a worker starts, some at its first request. While an installer replaces the
environment, these modules are missing. gunicorn's asgi worker then accepts connections and closes
each without an answer or a message (gunicorn 27, asgi/protocol.py, `_pre_request_hook`); uvicorn's
does not start. Modules imported ahead are there, and all workers share them.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

FAST_PARSER = "gunicorn_h1c"
"""gunicorn/http/message.py, `_check_fast_parser`; gunicorn/asgi/protocol.py."""

OF_ASGI = ("gunicorn.instrument.statsd", "gunicorn.asgi.lifespan", "gunicorn.asgi.websocket")
"""gunicorn/asgi/protocol.py and gunicorn/workers/gasgi.py."""

OF_GEVENT = ("gevent.signal",)
"""gevent/monkey, `patch_signal`, which the mold leaves out (monkey_patching.py)."""

OF_UWSGI = ("gunicorn.uwsgi.parser",)
"""gunicorn/http/__init__.py, `get_parser`."""

OF_HTTP2 = (
    "gunicorn.http2.connection",
    "gunicorn.http2.async_connection",
    "h2.config",
    "h2.connection",
    "h2.errors",
    "h2.events",
    "h2.exceptions",
    "h2.settings",
)
"""gunicorn/http2/connection.py and async_connection.py, `_import_h2`."""

UVICORN_TABLES = {
    "loop": ("LOOP_FACTORIES", "LOOP_SETUPS"),
    "http": ("HTTP_PROTOCOLS",),
    "ws": ("WS_PROTOCOLS",),
    "lifespan": ("LIFESPAN",),
}
"""uvicorn/config.py: for each of its settings, the table of import strings by value. Until uvicorn
0.35 the table of loops was `LOOP_SETUPS`."""

UVICORN_LOOPS = ("uvicorn.loops.uvloop", "uvicorn.loops.asyncio")
"""uvicorn/loops/auto.py tries the first, then the second."""


def modules_of(worker_class: Any, cfg: Any) -> list[str]:
    """The modules that workers of this class import with these settings, installed or not."""
    ancestors = {ancestor.__module__ for ancestor in inspect.getmro(worker_class)}
    names: list[str] = []
    if getattr(cfg, "http_parser", "auto") != "python":
        names.append(FAST_PARSER)
    if "h2" in (getattr(cfg, "http_protocols", None) or ()):
        names.extend(OF_HTTP2)
    if getattr(cfg, "protocol", "http") == "uwsgi":
        names.extend(OF_UWSGI)
    if "gunicorn.workers.gasgi" in ancestors:
        names.extend(OF_ASGI)
        if getattr(cfg, "asgi_loop", "auto") in ("auto", "uvloop"):
            names.append("uvloop")
    if "gunicorn.workers.ggevent" in ancestors:
        names.extend(OF_GEVENT)
    if any(name == "uvicorn.workers" or name.startswith("uvicorn_worker.") for name in ancestors):
        names.extend(_of_uvicorn(getattr(worker_class, "CONFIG_KWARGS", None)))
    return names


def import_ahead(worker_class: Any, cfg: Any, debug: Callable[..., None]) -> None:
    """Imports them. Failed imports are left to the workers, which report what they miss."""
    for name in modules_of(worker_class, cfg):
        try:
            importlib.import_module(name)
        except Exception as error:
            debug("not imported ahead: %s: %r", name, error)


def _of_uvicorn(settings: Any) -> Iterator[str]:
    chosen = settings if type(settings) is dict else {}
    config = sys.modules.get("uvicorn.config")
    for setting, names in UVICORN_TABLES.items():
        value = chosen.get(setting, "auto")
        if type(value) is not str:
            continue
        found = _first_table(config, names).get(value, value)
        # `none` imports nothing; a value without a colon is no import string (uvicorn/importer.py).
        if type(found) is str and ":" in found:
            yield found.partition(":")[0]
    if chosen.get("loop", "auto") == "auto":
        yield from UVICORN_LOOPS


def _first_table(module: Any, names: Iterable[str]) -> dict[str, Any]:
    tables = (getattr(module, name, None) for name in names)
    return next((table for table in tables if type(table) is dict), {})
