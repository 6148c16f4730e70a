"""How a worker finishes when the whole herd stops: what is in the listen backlog is served first.

A connection is the kernel's until a worker accepts it. gunicorn's workers stop accepting at a
SIGTERM, and when the last of them has closed the socket, the kernel resets every connection that is
still queued, though its client has connected before the server was told to stop. When a worker is
exchanged there are others to accept; at the end there are none.

So the supervisor sends SIGFINISH instead. The worker class goes on as usual until the backlog has
been seen empty, and then gets its SIGTERM; this works for every worker class. Meanwhile the backlog
is made as short as can be (listen(2) with 0), so that who connects from now on is refused, or finds
another server, and does not prolong the end.

Functions of `select`, `time` and `_thread` are taken at import, before gevent replaces them: the
wait is a thread of the system's, in every worker class.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import struct
import sys
from _thread import start_new_thread
from select import POLLIN, poll
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from cowherd_agent import scoreboard

if TYPE_CHECKING:
    from types import FrameType

    from cowherd_agent.worker import WorkerStart

SIGFINISH = 45
"""A real-time signal (signal(7)), used by no worker class. Also in src/supervisor/stopping.ts."""

LOOK_SECONDS = 0.01
"""Between two looks at the backlog."""

QUIET_LOOKS = 2
"""How many looks in a row must find nothing queued and no request begun: what a worker has accepted
last is not yet read, and uvicorn closes such a connection (uvicorn/protocols, `shutdown`)."""

QUIET_SECONDS = 0.25
"""Then it is quiet enough, though requests arrive on connections that are open."""

GRACE_PART = 0.9
UNIX_GRACE_PART = 0.5
"""The part of graceful_timeout that may be spent on the backlog. A Unix socket does not tell how
long its backlog is, so that late comers can't be told from those that were there."""

_LATE_COMERS = 3
"""With one connection queued, which may be a late comer's, so many requests more are taken."""

# struct tcp_info, include/uapi/linux/tcp.h: of a listening socket, tcpi_unacked is the number of
# connections that wait to be accepted (net/ipv4/tcp.c, tcp_get_info).
_TCP_UNACKED_OFFSET = 24


class Finishing:
    """One worker's way out."""

    def __init__(self, start: WorkerStart) -> None:
        self._worker: Any = start.worker
        self._words = start.slot.words
        self._grace_seconds = float(start.arbiter.cfg.graceful_timeout)
        # Sockets that were inherited (systemd's) stay open with whoever gave them, backlog and all.
        self._inherited = start.arbiter.inherited_listeners
        self._asked = False

    def listen(self) -> None:
        """Handles SIGFINISH, from now on and after the worker class has set its own handlers."""
        original = self._worker.init_signals

        def init_signals() -> None:
            original()
            self._handle()

        self._handle()
        self._worker.init_signals = init_signals

    def _handle(self) -> None:
        signal.signal(SIGFINISH, self._finish)
        # As gunicorn does with SIGTERM: no system call of a request is to be interrupted.
        signal.siginterrupt(SIGFINISH, False)

    def _finish(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked:
            return
        self._asked = True
        self._words[scoreboard.STATE] = scoreboard.STATE_DRAINING
        # It would leave others' requests in the backlog.
        self._worker.max_requests = sys.maxsize
        start_new_thread(self._serve_backlog, ())

    def _serve_backlog(self) -> None:
        try:
            listeners = self._listeners()
            # Handshakes under way end first: a shortened backlog would drop their last packet.
            sleep(LOOK_SECONDS)
            for listener in listeners:
                ctypes.CDLL(None).listen(listener.fileno(), 0)
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
        has_unix = any(listener.family == socket.AF_UNIX for listener in listeners)
        part = UNIX_GRACE_PART if has_unix else GRACE_PART
        deadline = monotonic() + self._grace_seconds * part
        late: int | None = None
        while any(map(_is_queued, listeners)) and monotonic() < deadline:
            if late is None and all(map(_has_late_comers_only, listeners)):
                late = self._started() + _LATE_COMERS
            if late is not None and self._started() >= late:
                break
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


def _has_late_comers_only(listener: Any) -> bool:
    """With a backlog of 0 one connection can be queued, if none is. So while more are, all of them
    were there before."""
    if listener.fileno() < 0:
        return True
    if listener.family == socket.AF_UNIX:
        return False
    info = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    (queued,) = struct.unpack_from("I", info, _TCP_UNACKED_OFFSET)
    return bool(queued <= 1)
