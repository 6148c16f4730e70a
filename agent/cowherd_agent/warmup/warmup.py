"""Warm-up: requests played inside the mold, before it forks.

All workers share their effects (loaded templates, lazy imports, specialized bytecode). They must
not share connections opened by them: a forked socket is one socket with many users.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple
from urllib.parse import unquote

from cowherd_agent.collection.request_counter import Interface


class WarmupRequest(NamedTuple):
    """A request without a body."""

    method: str
    path: str
    host: str

    @property
    def told(self) -> str:
        """For reports and logs: without the query, which may hold a token."""
        return f"{self.method} {self.path.partition('?')[0]}"


class WarmupResult(NamedTuple):
    """The outcome of one request: its status, or 0 if the application raised.

    The request is given without its query.
    """

    request: str
    status: int
    seconds: float
    error: str | None


def parse_request(text: object) -> WarmupRequest:
    """Reads ``"GET /path"`` or ``"GET /path host"``. Raises ValueError otherwise."""
    parts = text.split() if isinstance(text, str) else []
    if len(parts) not in (2, 3) or not parts[1].startswith("/") or not parts[0].isalpha():
        raise ValueError(f"a request reads 'GET /path' or 'GET /path host', not {text!r}")
    host = parts[2] if len(parts) == 3 else "localhost"
    return WarmupRequest(parts[0].upper(), parts[1], host)


def play(
    app: Any, interface: Interface, requests: Iterable[str], with_lifespan: bool = False
) -> list[WarmupResult]:
    """Plays the requests one after the other. Exceptions of the application are in the results.

    `with_lifespan`: an ASGI application is started up before each request and shut down after it,
    as in a worker. In a mold, its startup would create things that a fork must not share.
    """
    results = []
    for text in requests:
        request = parse_request(text)
        started = time.perf_counter()
        error: str | None = None
        status = 0
        try:
            if interface == "wsgi":
                status = _play_wsgi(app, request)
            else:
                status = _play_asgi(app, request, with_lifespan)
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"
        results.append(WarmupResult(request.told, status, time.perf_counter() - started, error))
    return results


def close_connections() -> list[str]:
    """Closes what a fork must not share: Django's database and cache connections, and the thread
    that asgiref keeps for synchronous code. Returns what was closed, in words."""
    closed = []
    conf = sys.modules.get("django.conf")
    configured = conf is not None and conf.settings.configured
    django_db = sys.modules.get("django.db")
    if configured and django_db is not None:
        _forget_database_connections(django_db.connections)
        closed.append("Django's database connections")
    django_cache = sys.modules.get("django.core.cache")
    if configured and django_cache is not None:
        django_cache.caches.close_all()
        closed.append("Django's cache connections")
    asgiref = sys.modules.get("asgiref.sync")
    if asgiref is not None:
        from concurrent.futures import ThreadPoolExecutor

        asgiref.SyncToAsync.single_thread_executor.shutdown(wait=True)
        asgiref.SyncToAsync.single_thread_executor = ThreadPoolExecutor(max_workers=1)
    return closed


def _forget_database_connections(connections: Any) -> None:
    """Closes the connections and drops their objects. Each object belongs to the thread that made
    it: a gevent worker's greenlets would find the mold's and refuse it
    (django/db/backends/base/base.py, validate_thread_sharing)."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        # An SQLite database in memory stays open, since closing would delete it.
        if connection.connection is None:
            del connections[connection.alias]


def _play_wsgi(app: Callable[..., Iterable[bytes]], request: WarmupRequest) -> int:
    path, _, query = request.path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path, encoding="latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": request.path,
        "SERVER_NAME": request.host,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "cowherd-warmup",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "0",
        "HTTP_HOST": request.host,
        "HTTP_USER_AGENT": "cowherd-warmup",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(b""),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    status = 0

    def start_response(line: str, _headers: object, _exc_info: object = None) -> Any:
        nonlocal status
        status = int(line.split(" ", 1)[0])
        return lambda _data: None

    body = app(environ, start_response)
    try:
        for _ in body:
            pass
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()
    return status


def _play_asgi(
    app: Callable[..., Awaitable[None]], request: WarmupRequest, with_lifespan: bool
) -> int:
    path, _, query = request.path.partition("?")
    state: dict[str, Any] = {}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [
            (b"host", request.host.encode("latin-1")),
            (b"user-agent", b"cowherd-warmup"),
        ],
        "client": ("127.0.0.1", 0),
        "server": (request.host, 80),
        "state": state,
    }
    # Imported here, since most applications never need it, and it is slow to import.
    import asyncio

    status = 0

    async def run() -> None:
        answered = asyncio.Event()
        body_sent = False

        async def receive() -> dict[str, Any]:
            nonlocal body_sent
            if not body_sent:
                body_sent = True
                return {"type": "http.request", "body": b"", "more_body": False}
            # The client stays until its answer is complete.
            await answered.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
            elif message["type"] == "http.response.body" and not message.get("more_body"):
                answered.set()

        if not with_lifespan:
            await app(scope, receive, send)
            return
        from cowherd_agent.warmup.asgi_lifespan import lifespan

        async with lifespan(app, state):
            await app(scope, receive, send)

    asyncio.run(run())
    return status
