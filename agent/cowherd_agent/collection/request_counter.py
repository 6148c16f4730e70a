"""Counts requests around the application, so that it works for every worker class.

The wrapper also tells the collector when a response has been sent: at WSGI's ``close()``, and after
an ASGI response. This costs about two microseconds a request.
"""

from __future__ import annotations

import _thread
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, Iterator
from time import monotonic_ns
from typing import Any, Literal, Protocol

from cowherd_agent.wire import scoreboard

Interface = Literal["wsgi", "asgi"]
"""How an application is called."""

_BOUNDS = scoreboard.DURATION_BOUNDS_NS


class RequestCollector(Protocol):
    """What the request counter needs of the collector."""

    def request_finished(self, in_flight: int = 0) -> None: ...


class RequestCounter:
    """Counts the requests of this process; does nothing before ``bind`` (in the mold)."""

    def __init__(self) -> None:
        self._words: memoryview | None = None
        self._lock = _thread.allocate_lock()
        self._collector: RequestCollector | None = None

    def bind(self, words: memoryview | None, collector: RequestCollector | None) -> None:
        """Counts into ``words``, a scoreboard row, from now on; called in a new worker. None for
        ``words`` stops the counting."""
        self._words = words
        # A new lock: the worker class may have replaced the lock type (gevent does).
        self._lock = _thread.allocate_lock()
        self._collector = collector

    def started(self) -> int:
        """Counts a request. Returns the time for ``finished``, in nanoseconds."""
        now = monotonic_ns()
        words = self._words
        if words is not None:
            with self._lock:
                words[scoreboard.REQUESTS_STARTED] += 1
                if not words[scoreboard.BUSY_SINCE_MONOTONIC_NS]:
                    words[scoreboard.BUSY_SINCE_MONOTONIC_NS] = now
        return now

    def failed(self) -> None:
        """Counts an error of a request that was answered before."""
        words = self._words
        if words is not None:
            with self._lock:
                words[scoreboard.RESPONSE_ERRORS] += 1

    def finished(self, started_ns: int, failed: bool = False) -> None:
        words = self._words
        if words is None:
            return
        now = monotonic_ns()
        took = now - started_ns
        with self._lock:
            words[scoreboard.REQUESTS_FINISHED] += 1
            words[scoreboard.DURATION_NS] += took
            words[scoreboard.DURATION_BUCKETS + bisect_left(_BOUNDS, took)] += 1
            if failed:
                words[scoreboard.RESPONSE_ERRORS] += 1
            in_flight = words[scoreboard.REQUESTS_STARTED] - words[scoreboard.REQUESTS_FINISHED]
            if in_flight == 0:
                words[scoreboard.BUSY_NS] += now - words[scoreboard.BUSY_SINCE_MONOTONIC_NS]
                words[scoreboard.BUSY_SINCE_MONOTONIC_NS] = 0
        if self._collector is not None:
            self._collector.request_finished(in_flight)


REQUEST_COUNTER = RequestCounter()


class CountedBody:
    """A WSGI response whose ``close()`` ends the request."""

    __slots__ = ("_body", "_counter", "_ended", "_started_ns")

    def __init__(self, body: Iterable[bytes], counter: RequestCounter, started_ns: int) -> None:
        self._body: Iterable[bytes] | None = body
        self._counter = counter
        self._started_ns = started_ns
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        # The body's own iterator, so that a chunk costs nothing extra.
        return iter(self._body or ())

    def close(self) -> None:
        body, self._body = self._body, None
        try:
            close = getattr(body, "close", None)
            if close is not None:
                close()
        finally:
            if not self._ended:
                self._ended = True
                # Dropped before the collection, so that it can free the response itself.
                close = body = None
                self._counter.finished(self._started_ns)


class CountedWSGI:
    """A WSGI application that is counted."""

    def __init__(self, app: Callable[..., Iterable[bytes]], counter: RequestCounter) -> None:
        self._app = app
        self._counter = counter

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        counter = self._counter
        started_ns = counter.started()
        try:
            body = self._app(environ, start_response)
        except BaseException:
            counter.finished(started_ns, failed=True)
            raise
        file_wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(file_wrapper, type) and isinstance(body, file_wrapper):
            # gunicorn sends files by sendfile() when it sees its own wrapper class.
            _finish_on_close(body, counter, started_ns)
            return body
        return CountedBody(body, counter, started_ns)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)


class CountedASGI:
    """An ASGI application whose HTTP requests and WebSockets are counted.

    A request ends with its response, not with the call: Quart's calls last until the client closes
    the connection, and Starlette runs background tasks in them.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], counter: RequestCounter) -> None:
        self._app = app
        self._counter = counter

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await self._app(scope, receive, send)
            return
        counter = self._counter
        # in_flight.py finds these two variables in the frame.
        started_ns = counter.started()
        is_answered = False

        async def send_and_count(message: Any) -> None:
            nonlocal is_answered
            await send(message)
            if not is_answered and _ends_response(message):
                is_answered = True
                counter.finished(started_ns)

        try:
            # A WebSocket lasts as long as the call.
            await self._app(scope, receive, send_and_count if kind == "http" else send)
        except BaseException as error:
            if not is_answered:
                counter.finished(started_ns, failed=True)
            elif isinstance(error, Exception):
                counter.failed()
            raise
        if not is_answered:
            counter.finished(started_ns)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)


def wrap(app: Any, interface: Interface, counter: RequestCounter = REQUEST_COUNTER) -> Any:
    """Returns the app, counted. Returns a non-callable unchanged: gunicorn will report it."""
    if not callable(app):
        return app
    return CountedASGI(app, counter) if interface == "asgi" else CountedWSGI(app, counter)


def _ends_response(message: Any) -> bool:
    """Whether nothing of the response follows (the ASGI specification, "HTTP", and its extensions:
    "Path Send" sends a whole body, "HTTP Trailers" follow the body)."""
    kind: str = message["type"]
    if kind == "http.response.body":
        return not message.get("more_body", False)
    return kind == "http.response.pathsend"


def _finish_on_close(body: Any, counter: RequestCounter, started_ns: int) -> None:
    close = getattr(body, "close", None)

    def close_and_finish() -> None:
        try:
            if close is not None:
                close()
        finally:
            counter.finished(started_ns)

    body.close = close_and_finish
