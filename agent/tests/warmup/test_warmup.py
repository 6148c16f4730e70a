"""Warm-up requests: how they are read and played, and what is closed before the fork."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from cowherd_agent.places import PACKAGE_FOLDER
from cowherd_agent.warmup.warmup import close_connections, parse_request, play

AGENT = Path(PACKAGE_FOLDER).parent
StartResponse = Callable[..., Any]


@pytest.mark.parametrize(
    ("text", "method", "path", "host"),
    [
        ("GET /", "GET", "/", "localhost"),
        ("get /a/b?c=d", "GET", "/a/b?c=d", "localhost"),
        ("  HEAD   /x  www.example.org ", "HEAD", "/x", "www.example.org"),
    ],
)
def test_a_request_is_read(text: str, method: str, path: str, host: str) -> None:
    request = parse_request(text)
    assert (request.method, request.path, request.host) == (method, path, host)


def test_what_is_told_of_a_request_has_no_query() -> None:
    assert parse_request("get /a/b?token=secret").told == "GET /a/b"
    result = play(WSGIApp(), "wsgi", ["GET /a?token=secret"])[0]
    assert (result.request, result.status) == ("GET /a", 200)


@pytest.mark.parametrize("text", ["", "GET", "/", "GET x", "GET / a b", "G-T /", None, 7, b"GET /"])
def test_what_is_no_request_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="a request reads 'GET /path'"):
        parse_request(text)


class WSGIApp:
    """Records its calls, and answers with ``status``."""

    def __init__(self, status: str = "200 OK") -> None:
        self.status = status
        self.environs: list[dict[str, Any]] = []
        self.read = 0
        self.closed = 0

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        self.environs.append(environ)
        start_response(self.status, [])
        app = self

        class Body:
            def __iter__(self) -> Iterable[bytes]:  # type: ignore[misc]
                for chunk in (b"a", b"b"):
                    app.read += 1
                    yield chunk

            def close(self) -> None:
                app.closed += 1

        return Body()


def test_a_wsgi_application_is_called_as_a_server_calls_it() -> None:
    app = WSGIApp()
    (result,) = play(app, "wsgi", ["GET /caf%C3%A9?q=%20x www.example.org"])
    assert (result.request, result.status, result.error) == ("GET /caf%C3%A9", 200, None)
    assert result.seconds > 0
    (environ,) = app.environs
    # PEP 3333: bytes as latin-1.
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/café"
    assert environ["QUERY_STRING"] == "q=%20x"
    assert environ["HTTP_HOST"] == environ["SERVER_NAME"] == "www.example.org"
    assert environ["wsgi.input"].read() == b""
    # The whole answer was read, and closed.
    assert (app.read, app.closed) == (2, 1)


def test_a_wsgi_application_passes_the_validator_of_the_standard_library() -> None:
    from wsgiref.validate import validator

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"well"]

    (result,) = play(validator(app), "wsgi", ["GET /x?y=z"])
    assert (result.status, result.error) == (200, None)


def test_requests_are_played_in_their_order_and_one_that_fails_stops_none() -> None:
    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/broken":
            raise RuntimeError("no table")
        start_response("404 Not Found", [])
        return []

    results = play(app, "wsgi", ["GET /a", "GET /broken", "GET /b"])
    assert [(result.request, result.status, result.error) for result in results] == [
        ("GET /a", 404, None),
        ("GET /broken", 0, "RuntimeError: no table"),
        ("GET /b", 404, None),
    ]


def test_an_answer_that_breaks_on_the_way_is_closed_all_the_same() -> None:
    closed = []

    class Body:
        def __iter__(self) -> Body:
            return self

        def __next__(self) -> bytes:
            raise OSError("gone")

        def close(self) -> None:
            closed.append(True)

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return Body()

    (result,) = play(app, "wsgi", ["GET /"])
    assert result.error == "OSError: gone"
    assert closed == [True]


def test_an_asgi_application_is_called_as_a_server_calls_it() -> None:
    scopes = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        assert await receive() == {"type": "http.request", "body": b"", "more_body": False}
        await send({"type": "http.response.start", "status": 201, "headers": []})
        for more in (True, False):
            await send({"type": "http.response.body", "body": b"x", "more_body": more})
        # The client stays until it has its answer.
        assert await receive() == {"type": "http.disconnect"}

    (result,) = play(app, "asgi", ["GET /caf%C3%A9?q=1 www.example.org"])
    assert (result.status, result.error) == (201, None)
    (scope,) = scopes
    assert scope["path"] == "/café"
    assert scope["raw_path"] == b"/caf%C3%A9"
    assert scope["query_string"] == b"q=1"
    assert (b"host", b"www.example.org") in scope["headers"]


def test_an_asgi_application_that_watches_for_a_client_that_leaves_sees_it_stay() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        watcher = asyncio.ensure_future(receive())
        await asyncio.sleep(0.01)
        assert not watcher.done()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        assert (await watcher)["type"] == "http.disconnect"

    (result,) = play(app, "asgi", ["GET /"])
    assert (result.status, result.error) == (200, None)


def test_an_asgi_application_that_raises_is_told_of() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError("no table")

    (result,) = play(app, "asgi", ["GET /"])
    assert (result.status, result.error) == (0, "LookupError: no table")


def test_nothing_is_closed_where_there_is_nothing() -> None:
    code = "from cowherd_agent.warmup.warmup import close_connections; print(close_connections())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=AGENT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def run_with_django(body: str) -> str:
    """Output of a separate process, since Django can be configured only once."""
    code = "from cowherd_agent.warmup.warmup import close_connections\n" + body
    done = subprocess.run([sys.executable, "-c", code], cwd=AGENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


CONFIGURE = """
import sys
from django.conf import settings
settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": NAME}})
import django
django.setup()
from django.db import connection, connections
connection.ensure_connection()
"""


def test_a_database_connection_of_the_mold_is_closed_and_forgotten(tmp_path: Path) -> None:
    database = tmp_path / "site.sqlite3"
    printed = run_with_django(
        f"NAME = {str(database)!r}\n"
        + CONFIGURE
        + """
before = connections["default"]
assert before.connection is not None
print(close_connections())
assert before.connection is None
# A worker's thread makes its own: gevent's greenlets may not use that of the mold's thread.
assert connections["default"] is not before
connection.ensure_connection()
"""
    )
    assert "Django's database connections" in printed


def test_a_database_in_memory_is_kept_for_it_would_be_lost() -> None:
    run_with_django(
        'NAME = ":memory:"\n'
        + CONFIGURE
        + """
connection.cursor().execute("create table kept (x)")
close_connections()
connection.cursor().execute("select * from kept")
"""
    )


def test_a_django_that_is_imported_and_not_configured_is_left_alone() -> None:
    assert (
        run_with_django("import django.db, django.core.cache\nprint(close_connections())") == "[]\n"
    )


def test_the_thread_that_asgiref_keeps_is_ended() -> None:
    import threading

    from asgiref.sync import sync_to_async

    before = threading.active_count()

    async def work() -> int:
        return await sync_to_async(lambda: 7, thread_sensitive=False)()

    async def sensitive() -> int:
        return await sync_to_async(lambda: 7)()

    assert asyncio.run(work()) == asyncio.run(sensitive()) == 7
    close_connections()
    assert threading.active_count() == before
    # A worker can use it again.
    assert asyncio.run(sensitive()) == 7
    close_connections()


def test_the_environ_has_streams_of_its_own() -> None:
    app = WSGIApp()
    play(app, "wsgi", ["GET /", "GET /"])
    first, second = app.environs
    assert isinstance(first["wsgi.input"], io.BytesIO)
    assert first["wsgi.input"] is not second["wsgi.input"]
