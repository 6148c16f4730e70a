"""How a worker becomes the mold of the next generation.

The keeper sends it SIGRETIRE. The worker finishes its requests as at a SIGTERM, but does not exit
when its server loop has returned. It sheds everything that only a worker has, tells the keeper
`retired`, and continues as a mold, with all that it has loaded and cached while it served.

The worker's life ends there, so gunicorn's `worker_exit` hook is called, in this process. Neither
its `child_exit` nor any atexit hook is: the process stays.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from cowherd_agent.failures import MoldFailure
from cowherd_agent.wire import scoreboard
from cowherd_agent.worker import perf_names, stack
from cowherd_agent.worker.worker_signals import on_signal

if TYPE_CHECKING:
    from types import FrameType

    from cowherd_agent.fork_safety import Verdict
    from cowherd_agent.worker.worker_start import WorkerStart

SIGRETIRE = 44
"""A real-time signal (signal(7)), which no worker class uses. Also in
src/supervisor/herd/signals.ts."""

THREADS_END_SECONDS = 3.0
"""How long the threads of a stopped server may take to end: the owners of gthread's and asyncio's
pools do not wait for them."""

_CANT_RETIRE = {
    "gunicorn.workers.ggevent": "gevent's hub outlives the worker",
    "gunicorn.workers.geventlet": "eventlet's hub outlives the worker",
    "gunicorn.workers.gtornado": "it was not tried with tornado's loop",
}


_REFUSED = frozenset(("thread", "socket", "database", "event loop"))
"""Kinds of fork safety findings that stop a retirement."""


class Retirement:
    """Whether this worker is to become a mold, and its state before it became a worker."""

    def __init__(self, start: WorkerStart) -> None:
        self.asked = False
        self._start = start
        self._worker_class = type(start.worker)
        self._signal_handlers = {
            number: signal.getsignal(number) for number in signal.valid_signals()
        }

    def listen(self) -> None:
        """Handles SIGRETIRE, from now on and after the worker class has set its own handlers."""
        on_signal(self._start.worker, SIGRETIRE, self._retire)

    def _retire(self, _number: int, _frame: FrameType | None) -> None:
        reason = why_not(self._worker_class, self._start.arbiter.cfg)
        if reason is not None:
            self._start.channel.send_if_possible({"type": "retire_refused", "reason": reason})
        elif not self.asked:
            self.asked = True
            self._start.slot.words[scoreboard.STATE] = scoreboard.STATE_DRAINING
            # The worker class's own way to finish its requests.
            signal.raise_signal(signal.SIGTERM)

    def restore_signals(self) -> None:
        """Restores the mold's handlers, but ignores SIGRETIRE: a second must not end this
        process.
        """
        signal.set_wakeup_fd(-1)
        for number, handler in self._signal_handlers.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        signal.signal(SIGRETIRE, signal.SIG_IGN)


def why_not(worker_class: type, cfg: Any) -> str | None:
    """Why workers of this class can't become molds; None if they can. Pure."""
    if cfg.reload:
        return "with reload on, each worker loads the application anew"
    for ancestor in inspect.getmro(worker_class):
        if ancestor.__module__ in _CANT_RETIRE:
            name = cfg.worker_class_str
            return (
                f"the worker class {name} can't become a mold: {_CANT_RETIRE[ancestor.__module__]}"
            )
    return None


def shed(start: WorkerStart, retirement: Retirement) -> None:
    """Removes what only a worker has, and sends `retired`: the order comes on the same channel.
    Raises OSError if the keeper is gone."""
    worker, arbiter = start.worker, start.arbiter
    perf_names.switch_off()
    stack.release()
    retirement.restore_signals()
    for descriptor in worker.PIPE:
        # The worker's wake-up pipe, which it would leave to the end of the process.
        with contextlib.suppress(OSError):
            os.close(descriptor)
    for listener in arbiter.LISTENERS:
        listener.close()
    arbiter.LISTENERS = []
    # The mold's other workers, whose files were closed at the fork.
    arbiter.WORKERS.clear()
    arbiter.pid = os.getpid()
    if os.geteuid() != 0:
        # They were set when this process became a worker, and only root may set them again. With
        # initgroups gunicorn leaves the group unchanged (gunicorn/util.py, set_owner_process).
        arbiter.cfg.set("initgroups", False)
        arbiter.cfg.set("user", os.geteuid())
        arbiter.cfg.set("group", os.getegid())
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None:
        # It holds the server's closed loop.
        asyncio.set_event_loop(None)
    requests = int(start.slot.words[scoreboard.REQUESTS_FINISHED])
    start.channel.send({"type": "retired", "requests_finished": requests})


def refuse(cfg: Any, verdict: Verdict) -> None:
    """Raises MoldFailure for findings that a warmed worker must not have.

    A mold that has loaded the application only gets warnings for them. But it has answered no
    request, which is when connections are opened, and there is no mold to fall back on.
    """
    # Each once: a pool has many alike.
    unsafe = dict.fromkeys(
        # The usual remedy, starting the thread in workers, is how it got here.
        f"{finding.what}; stop it in the before_mold hook"
        if finding.kind == "thread"
        else finding.line
        for finding in verdict.findings
        if finding.kind in _REFUSED or finding.is_known_to_break or cfg.strict
    )
    # A failed look is as bad, since there is another mold to fall back on.
    unsafe.update(dict.fromkeys(verdict.failed))
    if unsafe:
        raise MoldFailure("FORK_UNSAFE", "; ".join(unsafe))
