"""The Python stack of a worker that is stuck or crashes, for the supervisor to read.

faulthandler's handler of SIGABRT (and of SIGSEGV, SIGBUS, SIGFPE, SIGILL) is C code that needs no
GIL, so the stack is written also where the interpreter can't run a handler of its own: in a C call,
or while another thread holds the GIL. Then the handler that was there before is put back and the
signal raised again (Modules/faulthandler.c, faulthandler_fatal_error), so gunicorn's own one, with
the ``worker_abort`` hook, runs where it can.

The stack goes behind the worker's row of the scoreboard, not to stderr: stacks of several workers
do not mix there, the supervisor says whose it is, and what does not fit is not written.
"""

from __future__ import annotations

import faulthandler
import os
import sys
from typing import Any

from cowherd_agent.wire.scoreboard import STACK_OFFSET
from cowherd_agent.worker.worker_signals import around_init_signals

_STDERR = 2

# Of this worker.
_descriptor = _STDERR


def arrange(worker: Any, scoreboard_descriptor: int) -> None:
    """From ``init_signals`` on the worker's stack is written when a signal ends it.

    The descriptor is that of the worker's row (scoreboard.py), and its own from now on.
    """
    global _descriptor
    descriptor = _descriptor = scoreboard_descriptor
    os.lseek(descriptor, STACK_OFFSET, os.SEEK_SET)
    # The application may have enabled it: what disable() puts back must not be gunicorn's.
    around_init_signals(worker, before=faulthandler.disable, after=lambda: _enable(descriptor))


def release() -> None:
    """Undoes it, in a worker that becomes a mold."""
    global _descriptor
    faulthandler.disable()
    if _descriptor > _STDERR:
        os.close(_descriptor)
    _descriptor = _STDERR


def _enable(descriptor: int) -> None:
    # The C stack, from 3.14 on, needs malloc: a worker may be stuck in it.
    more: dict[str, Any] = {"c_stack": False} if sys.version_info >= (3, 14) else {}
    faulthandler.enable(file=descriptor, all_threads=True, **more)
