"""Which requests a worker is answering, found on demand and recorded by nobody before.

A request answered by a thread or a greenlet is on its stack, in gunicorn's own frames. A request of
an ASGI application is in the chain of coroutines of a task. The path is given without its query,
which may be private.
"""

from __future__ import annotations

import contextlib
import gc
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from types import FrameType
from typing import TYPE_CHECKING, Any

from cowherd_agent.collection.request_counter import CountedASGI
from cowherd_agent.wire import scoreboard
from cowherd_agent.worker.worker_signals import on_signal

if TYPE_CHECKING:
    from cowherd_agent.wire.message_types import WorkerInFlightRequests
    from cowherd_agent.worker.worker_start import WorkerStart

SIGTELL = 46
"""A real-time signal (signal(7)), which no worker class uses. Also in
src/supervisor/herd/signals.ts."""

MOST_TOLD = 20
LONGEST_PATH = 200
LONGEST_METHOD = 30

_HANDLERS = frozenset(("handle_request", "handle_http2_request"))
"""Methods of gunicorn's workers that have the request in `req` (gunicorn/workers, 23 to 27)."""


def arrange(start: WorkerStart) -> None:
    """Makes this worker answer SIGTELL with a message to the supervisor, from now on."""

    def tell(_number: int, _frame: FrameType | None) -> None:
        words = start.slot.words
        start.channel.send_if_possible(
            {
                "type": "in_flight",
                "requests": requests()[:MOST_TOLD],
                "response_errors": int(words[scoreboard.RESPONSE_ERRORS]),
            }
        )

    on_signal(start.worker, SIGTELL, tell)


def requests() -> list[WorkerInFlightRequests]:
    """Each request with `method`, `path` and `seconds`, None if unknown."""
    found: list[WorkerInFlightRequests] = []
    # Frames of other threads change while they are read; a missed request was about to end.
    with contextlib.suppress(Exception):
        for frame in [*sys._current_frames().values(), *_greenlet_frames()]:
            found += _on_stack(frame)
    with contextlib.suppress(Exception):
        found += _in_tasks()
    return found


def _on_stack(frame: FrameType | None) -> Iterator[WorkerInFlightRequests]:
    while frame is not None:
        if frame.f_code.co_name in _HANDLERS and "req" in frame.f_code.co_varnames:
            values = frame.f_locals
            request: Any = values.get("req")
            started = values.get("request_start")
            if hasattr(request, "method") and hasattr(request, "path"):
                seconds = (
                    (datetime.now() - started).total_seconds()
                    if isinstance(started, datetime)
                    else None
                )
                yield _described(request.method, request.path, seconds)
                return
        frame = frame.f_back


def _greenlet_frames() -> list[FrameType]:
    greenlet = getattr(sys.modules.get("greenlet"), "greenlet", None)
    if greenlet is None:
        return []
    # Greenlets are made after the fork, so they are not frozen.
    return [
        each.gr_frame
        for each in gc.get_objects()
        # By type: other objects of the application may lie about their class, or raise when asked.
        if issubclass(type(each), greenlet) and each.gr_frame is not None
    ]


def _in_tasks() -> Iterator[WorkerInFlightRequests]:
    asyncio: Any = sys.modules.get("asyncio")
    loop = None if asyncio is None else asyncio._get_running_loop()
    if loop is None:
        return
    code = CountedASGI.__call__.__code__
    for task in asyncio.all_tasks(loop):
        coroutine: Any = task.get_coro()
        while coroutine is not None:
            frame = getattr(coroutine, "cr_frame", None)
            if frame is not None and frame.f_code is code:
                scope, started_ns = frame.f_locals["scope"], frame.f_locals.get("started_ns")
                seconds = None if started_ns is None else (time.monotonic_ns() - started_ns) / 1e9
                # The lifespan's call lasts as long as the worker, and is no request.
                if scope["type"] != "lifespan" and not frame.f_locals.get("is_answered", False):
                    yield _described(scope.get("method", "WebSocket"), scope["path"], seconds)
                break
            coroutine = getattr(coroutine, "cr_await", None)


def _described(method: object, path: object, seconds: float | None) -> WorkerInFlightRequests:
    """Escapes control characters: clients choose the path, and an ASGI server decodes it."""
    told = str(path)[: LONGEST_PATH + 1].partition("?")[0]
    return {
        "method": _printable(str(method))[:LONGEST_METHOD],
        "path": _printable(told)[:LONGEST_PATH],
        "seconds": seconds,
    }


def _printable(text: str) -> str:
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in text
    )
