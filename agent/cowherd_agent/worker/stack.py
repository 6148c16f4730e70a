"""The Python stack of a worker that is stuck or crashes, for the supervisor to read.

faulthandler's handler of SIGABRT (and of SIGSEGV, SIGBUS, SIGFPE, SIGILL) is C code that needs no
GIL. So it writes the stack even where the interpreter can't run a Python handler: in a C call, or
while another thread holds the GIL. Then it puts the previous handler back and raises the signal
again (Modules/faulthandler.c, faulthandler_fatal_error), so gunicorn's handler, with the
``worker_abort`` hook, runs where it can.

SIGTELL (worker/in_flight.py) writes the stack too, and then calls the handler that was there. The
supervisor sends SIGTELL shortly before it kills a worker that does not finish, and so can say where
that worker was: in a request, in a thread that does not end, or in an atexit hook.

The stack goes after the worker's row of the scoreboard, not to stderr. There the stacks of several
workers do not mix, the supervisor says whose each is, and anything that does not fit is dropped.
"""

from __future__ import annotations

import faulthandler
import os
import sys
from typing import Any

from cowherd_agent.wire.scoreboard import STACK_OFFSET
from cowherd_agent.worker.in_flight import SIGTELL
from cowherd_agent.worker.worker_signals import around_init_signals

_STDERR = 2

# This worker's descriptor.
_descriptor = _STDERR


def arrange(worker: Any, scoreboard_descriptor: int) -> None:
    """Writes the worker's stack when a signal ends it, and at SIGTELL, from ``init_signals`` on.

    The descriptor is the worker's row (wire/scoreboard.py); this module owns it from now on.
    """
    global _descriptor
    descriptor = _descriptor = scoreboard_descriptor
    os.lseek(descriptor, STACK_OFFSET, os.SEEK_SET)
    # The application may have enabled it: disable() must not put gunicorn's handler back.
    around_init_signals(worker, before=_disable, after=lambda: _enable(descriptor))


def release() -> None:
    """Undoes `arrange`, in a worker that becomes a mold."""
    global _descriptor
    _disable()
    if _descriptor > _STDERR:
        os.close(_descriptor)
    _descriptor = _STDERR


def _disable() -> None:
    faulthandler.disable()
    faulthandler.unregister(SIGTELL)


def _enable(descriptor: int) -> None:
    # The C stack, from 3.14 on, needs malloc, and a worker may be stuck in malloc.
    more: dict[str, Any] = {"c_stack": False} if sys.version_info >= (3, 14) else {}
    faulthandler.enable(file=descriptor, all_threads=True, **more)
    faulthandler.register(SIGTELL, file=descriptor, all_threads=True, chain=True)
