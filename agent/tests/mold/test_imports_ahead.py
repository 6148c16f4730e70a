"""Modules that a worker class imports only in a worker."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from cowherd_agent.mold import imports_ahead
from cowherd_agent.mold.imports_ahead import import_ahead, modules_of


def a_class(module: str, **attributes: Any) -> type:
    return type("Worker", (), {"__module__": module, **attributes})


SYNC = a_class("gunicorn.workers.sync")
ASGI = a_class("gunicorn.workers.gasgi")


def settings(**changed: Any) -> SimpleNamespace:
    return SimpleNamespace(
        **{"http_parser": "python", "http_protocols": ["h1"], "protocol": "http", **changed}
    )


def test_a_sync_worker_needs_nothing_but_the_parser() -> None:
    assert modules_of(SYNC, settings()) == []
    assert modules_of(SYNC, settings(http_parser="auto")) == ["gunicorn_h1c"]


def test_settings_of_an_older_gunicorn() -> None:
    assert modules_of(SYNC, SimpleNamespace()) == ["gunicorn_h1c"]


def test_protocols() -> None:
    assert modules_of(SYNC, settings(protocol="uwsgi")) == ["gunicorn.uwsgi.parser"]
    assert "h2.connection" in modules_of(SYNC, settings(http_protocols=["h2", "h1"]))


def test_the_loop_of_asgi_workers() -> None:
    assert "gunicorn.instrument.statsd" in modules_of(ASGI, settings())
    assert "uvloop" in modules_of(ASGI, settings(asgi_loop="auto"))
    assert "uvloop" not in modules_of(ASGI, settings(asgi_loop="asyncio"))


def test_a_class_of_the_users_own() -> None:
    own = type("Own", (ASGI,), {"__module__": "site.workers"})
    assert modules_of(own, settings()) == modules_of(ASGI, settings())


def test_uvicorn_by_the_settings_of_its_class() -> None:
    pytest.importorskip("uvicorn.config", reason="needs uvicorn")
    plain = modules_of(a_class("uvicorn.workers"), settings())
    assert {"uvicorn.loops.auto", "uvicorn.loops.asyncio"} <= set(plain)
    assert "uvicorn.protocols.http.auto" in plain
    assert "uvicorn.lifespan.on" in plain
    h11 = a_class("uvicorn_worker._workers", CONFIG_KWARGS={"loop": "asyncio", "http": "h11"})
    chosen = modules_of(h11, settings())
    assert "uvicorn.loops.asyncio" in chosen
    assert "uvicorn.protocols.http.h11_impl" in chosen


def test_settings_of_a_class_that_are_none() -> None:
    pytest.importorskip("uvicorn.config", reason="needs uvicorn")
    odd = a_class("uvicorn.workers", CONFIG_KWARGS={"loop": "none", "http": object(), "ws": 3})
    assert modules_of(odd, settings()) == ["uvicorn.lifespan.on"]
    assert modules_of(a_class("uvicorn.workers", CONFIG_KWARGS=[1]), settings())


def test_what_is_missing_or_broken_is_left_to_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(imports_ahead, "modules_of", lambda *_: ["no_such_module_here", "colorsys"])
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    import_ahead(SYNC, settings(), lambda text, *values: told.append(text % values))
    assert "colorsys" in sys.modules
    assert [line.partition(": ModuleNotFoundError")[0] for line in told] == [
        "not imported ahead: no_such_module_here"
    ]
