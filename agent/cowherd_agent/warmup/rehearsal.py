"""Warm-up requests played repeatedly, until their code is as it will be in a worker.

The interpreter adapts code after some runs, not at the first (PEP 659). WSGI requests go through
gunicorn's own parser and response, and through the request counter, so that their code is adapted
too. A worker's hooks, sockets and log lines are left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cowherd_agent.collection.request_counter import REQUEST_COUNTER, CountedWSGI, Interface
from cowherd_agent.warmup import warmup
from cowherd_agent.wire import scoreboard

ROUNDS = 8
"""Code is adapted at its second to eighth run (Include/internal/pycore_backoff.h of 3.13 and 3.14,
pycore_code.h before)."""

MOST_SECONDS = 1.0
"""Slow requests get fewer rounds."""

_CLIENT = ("127.0.0.1", 0)
_SERVER = ("127.0.0.1", 80)


def rehearse(
    app: Any, interface: Interface, requests: Sequence[str], cfg: Any, rounds: int = ROUNDS
) -> int:
    """Plays requests that change nothing (GET and HEAD); returns how many were played in all.

    Exceptions of the application or gunicorn are passed on.
    """
    repeatable = [text for text in requests if warmup.parse_request(text).method in ("GET", "HEAD")]
    played = 0
    started = time.perf_counter()
    for _ in range(rounds):
        for text in repeatable:
            if time.perf_counter() - started >= MOST_SECONDS:
                return played
            if interface == "wsgi":
                _play_through_gunicorn(app, text, cfg)
            else:
                warmup.play(app, interface, [text])
            played += 1
    return played


def _play_through_gunicorn(app: Callable[..., Iterable[bytes]], text: str, cfg: Any) -> None:
    """Plays a request as `handle_request` of gunicorn/workers/sync.py does."""
    from gunicorn import http
    from gunicorn.http import wsgi

    request = warmup.parse_request(text)
    connection = _Connection(
        f"{request.method} {request.path} HTTP/1.1\r\n"
        f"Host: {request.host}\r\n"
        "User-Agent: cowherd-warmup\r\n"
        "Accept: */*\r\n"
        "\r\n"
    )
    # Requests are counted in a row that nobody reads.
    REQUEST_COUNTER.bind(memoryview(bytearray(scoreboard.ROW_BYTES)).cast("Q"), None)
    try:
        parsed = next(http.RequestParser(cfg, connection, _CLIENT))
        response, environ = wsgi.create(parsed, connection, _CLIENT, _SERVER, cfg)
        body = CountedWSGI(app, REQUEST_COUNTER)(environ, response.start_response)
        try:
            for chunk in body:
                response.write(chunk)
            response.close()
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()
    finally:
        REQUEST_COUNTER.bind(None, None)


class _Connection:
    """A client that has sent its request and ignores the answer."""

    def __init__(self, request: str) -> None:
        self._request = [request.encode("latin-1")]

    def recv(self, _size: int) -> bytes:
        return self._request.pop() if self._request else b""

    def recv_into(self, target: memoryview) -> int:
        data = self.recv(0)
        target[: len(data)] = data
        return len(data)

    def sendall(self, _data: bytes) -> None:
        return

    def send(self, data: bytes) -> int:
        return len(data)

    def getsockname(self) -> tuple[str, int]:
        return _SERVER

    def getpeername(self) -> tuple[str, int]:
        return _CLIENT
