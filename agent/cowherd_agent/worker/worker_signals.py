"""Signal handlers of a worker that outlive the worker class's own.

A worker class sets its handlers in ``init_signals``, in the middle of ``init_process``, and may
remove other handlers there. So each handler is set twice: now, for the time before, and again
after.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType


def on_signal(worker: Any, number: int, handler: Callable[[int, FrameType | None], object]) -> None:
    """Handles a signal, from now on and after the worker class has set its own handlers."""

    def handle() -> None:
        signal.signal(number, handler)
        # As gunicorn does with SIGTERM: no system call of a request is to be interrupted.
        signal.siginterrupt(number, False)

    handle()
    around_init_signals(worker, after=handle)


def around_init_signals(
    worker: Any,
    after: Callable[[], object],
    before: Callable[[], object] = lambda: None,
) -> None:
    """Calls `before` and `after` around the worker class's own ``init_signals``."""
    original = worker.init_signals

    def init_signals() -> None:
        before()
        original()
        after()

    worker.init_signals = init_signals
