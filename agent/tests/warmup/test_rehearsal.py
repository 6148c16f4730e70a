"""Warm-up requests that are played again, through gunicorn's own code."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from cowherd_agent.collection.request_counter import REQUEST_COUNTER
from cowherd_agent.heap.code_placement import Recorder
from cowherd_agent.warmup import rehearsal
from gunicorn.config import Config


class Application:
    """Records its requests."""

    def __init__(self) -> None:
        self.environs: list[dict[str, Any]] = []
        self.closed = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.environs.append(environ)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return self

    def __iter__(self) -> Any:
        return iter([b"some", b"thing"])

    def close(self) -> None:
        self.closed += 1


def test_requests_go_through_gunicorn_so_many_times() -> None:
    app = Application()
    assert rehearsal.rehearse(app, "wsgi", ["GET /a?b=1 shop.test"], Config(), rounds=3) == 3
    assert app.closed == 3
    environ = app.environs[0]
    assert environ["PATH_INFO"] == "/a"
    assert environ["QUERY_STRING"] == "b=1"
    assert environ["HTTP_HOST"] == "shop.test"
    assert environ["SERVER_SOFTWARE"].startswith("gunicorn/")
    assert environ["wsgi.input"].read() == b""


def test_what_may_change_something_is_not_played_again() -> None:
    app = Application()
    requests = ["POST /order", "HEAD /", "DELETE /all", "GET /"]
    assert rehearsal.rehearse(app, "wsgi", requests, Config(), rounds=2) == 4
    assert [environ["REQUEST_METHOD"] for environ in app.environs] == ["HEAD", "GET"] * 2


def test_slow_requests_are_played_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(rehearsal, "time", SimpleNamespace(perf_counter=lambda: clock[0]))

    def slow(_environ: object, start_response: Any) -> list[bytes]:
        clock[0] += 0.8 * rehearsal.MOST_SECONDS
        start_response("200 OK", [])
        return []

    assert rehearsal.rehearse(slow, "wsgi", ["GET /"], Config()) == 2


def test_an_exception_is_raised_and_nothing_is_counted_afterwards() -> None:
    def broken(_environ: object, _start_response: object) -> list[bytes]:
        raise LookupError("not in the mold")

    with pytest.raises(LookupError):
        rehearsal.rehearse(broken, "wsgi", ["GET /"], Config())
    assert REQUEST_COUNTER._words is None


def test_asgi_applications_are_played_too() -> None:
    asked: list[str] = []

    async def app(scope: dict[str, Any], _receive: Any, send: Any) -> None:
        asked.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})

    assert rehearsal.rehearse(app, "asgi", ["GET /x"], Config(), rounds=2) == 2
    assert asked == ["/x", "/x"]


def test_code_is_recorded_but_where_a_profiler_is_at_work() -> None:
    def run() -> None:
        pass

    recorder = Recorder()
    with recorder:
        run()
    run()
    assert id(run.__code__) in recorder.codes
    assert sys.getprofile() is None

    def profiler(*_: object) -> None:
        pass

    sys.setprofile(profiler)
    try:
        with Recorder() as idle:
            run()
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)
    assert idle.codes == {}
