"""The Python stack of a worker that is stuck or crashes, for the supervisor to read.

faulthandler's handler of SIGABRT (and of SIGSEGV, SIGBUS, SIGFPE, SIGILL) is C code that needs no
GIL, so the stack is written also where the interpreter can't run a handler of its own: in a C call,
or while another thread holds the GIL. Then the handler that was there before is put back and the
signal raised again (Modules/faulthandler.c, faulthandler_fatal_error), so gunicorn's own one, with
the ``worker_abort`` hook, runs where it can.

The stack goes to a file of the worker's slot in the runtime directory, not to stderr: stacks of
several workers do not mix there, and the supervisor says whose it is.
"""

from __future__ import annotations

import faulthandler
import os
import sys
from typing import Any

FILE_PREFIX = "stack-"
"""The file's name, before the number of the slot; ``src/supervisor/stack.ts`` reads it."""

_STDERR = 2

# Of this worker.
_descriptor = _STDERR


def arrange(worker: Any, runtime_directory: str, slot: int) -> None:
    """From ``init_signals`` on the worker's stack is written when a signal ends it.

    Call before the worker gives up its privileges: the file is the owner's of the directory.
    """
    global _descriptor
    descriptor = _descriptor = _open(os.path.join(runtime_directory, f"{FILE_PREFIX}{slot}"))
    original = worker.init_signals

    def init_signals() -> None:
        # The application may have enabled it: what disable() puts back must not be gunicorn's.
        faulthandler.disable()
        original()
        _enable(descriptor)

    worker.init_signals = init_signals


def release() -> None:
    """Undoes it, in a worker that becomes a mold."""
    global _descriptor
    faulthandler.disable()
    if _descriptor > _STDERR:
        os.close(_descriptor)
    _descriptor = _STDERR


def _open(path: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except OSError:
        return _STDERR


def _enable(descriptor: int) -> None:
    # The C stack, from 3.14 on, needs malloc: a worker may be stuck in it.
    more: dict[str, Any] = {"c_stack": False} if sys.version_info >= (3, 14) else {}
    faulthandler.enable(file=descriptor, all_threads=True, **more)
