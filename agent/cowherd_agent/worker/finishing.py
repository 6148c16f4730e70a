"""How a worker finishes when the whole herd stops: it serves the listen backlog first.

A connection is the kernel's until a worker accepts it. gunicorn's workers stop accepting at a
SIGTERM. When the last of them has closed the socket, the kernel resets every connection still
queued, though its client connected before the server was told to stop. When a worker is replaced,
others accept those connections; at the end there are no others.

So the keeper turns new connections away (keeper/turn_away.py), and the supervisor sends SIGFINISH.
The worker keeps serving until the backlog has been seen empty, and then gets its SIGTERM. This
works for every worker class.

Functions of `select`, `time` and `_thread` are bound at import, before gevent replaces them: in
every worker class, a system thread does the waiting.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from _thread import start_new_thread
from select import POLLIN, poll
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from cowherd_agent.keeper.turn_away import handshakes
from cowherd_agent.wire import scoreboard
from cowherd_agent.worker.worker_signals import on_signal

if TYPE_CHECKING:
    from types import FrameType

    from cowherd_agent.worker.worker_start import WorkerStart

SIGFINISH = 45
"""A real-time signal (signal(7)), used by no worker class. Also in
src/supervisor/herd/signals.ts.
"""

LOOK_SECONDS = 0.01
"""Between two looks at the backlog."""

QUIET_LOOKS = 2
"""How many looks in a row must find nothing queued and no request begun. The connection accepted
last may not be read yet, and uvicorn closes such a connection (uvicorn/protocols, `shutdown`)."""

QUIET_SECONDS = 0.25
"""After this time it is quiet enough, even if requests arrive on open connections."""

GRACE_PART = 0.9
"""The part of graceful_timeout that may be spent on the backlog."""

HANDSHAKE_SECONDS = 1.0
"""How long handshakes under way may take: as long as the kernel waits before it repeats its answer
to the client (RFC 6298, 2.1)."""


class Finishing:
    """One worker's shutdown."""

    def __init__(self, start: WorkerStart) -> None:
        self._worker: Any = start.worker
        self._words = start.slot.words
        self._grace_seconds = float(start.arbiter.cfg.graceful_timeout)
        # Inherited sockets (systemd's) stay open with their owner, backlog included.
        self._inherited = start.arbiter.inherited_listeners
        self._asked = False

    def listen(self) -> None:
        """Handles SIGFINISH, from now on and after the worker class has set its own handlers."""
        on_signal(self._worker, SIGFINISH, self._finish)

    def _finish(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked:
            return
        self._asked = True
        self._words[scoreboard.STATE] = scoreboard.STATE_DRAINING
        # The limit would end the worker with requests left in the backlog.
        self._worker.max_requests = sys.maxsize
        start_new_thread(self._serve_backlog, ())

    def _serve_backlog(self) -> None:
        try:
            listeners = self._listeners()
            self._wait(listeners)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    def _listeners(self) -> list[Any]:
        return [
            listener
            for listener, is_inherited in zip(self._worker.sockets, self._inherited, strict=True)
            if not is_inherited and listener.fileno() >= 0
        ]

    def _wait(self, listeners: list[Any]) -> None:
        ports = [each.getsockname()[1] for each in listeners if each.family != socket.AF_UNIX]
        deadline = monotonic() + min(HANDSHAKE_SECONDS, self._grace_seconds)
        while ports and handshakes(ports) and monotonic() < deadline:
            sleep(LOOK_SECONDS)
        deadline = monotonic() + self._grace_seconds * GRACE_PART
        while any(map(_is_queued, listeners)) and monotonic() < deadline:
            sleep(LOOK_SECONDS)
        quiet, started = 0, self._started()
        deadline = monotonic() + QUIET_SECONDS
        while quiet < QUIET_LOOKS and monotonic() < deadline:
            sleep(LOOK_SECONDS)
            before, started = started, self._started()
            is_quiet = started == before and not any(map(_is_queued, listeners))
            quiet = quiet + 1 if is_quiet else 0

    def _started(self) -> int:
        return int(self._words[scoreboard.REQUESTS_STARTED])


def _is_queued(listener: Any) -> bool:
    """Whether a connection waits to be accepted."""
    descriptor = listener.fileno()
    if descriptor < 0:
        return False
    look = poll()
    look.register(descriptor, POLLIN)
    return any(event == POLLIN for _, event in look.poll(0))
