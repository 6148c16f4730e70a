"""Leaves without finalization in a process that another server ends.

Under plain gunicorn or uWSGI nobody calls leaving.leave(). A worker ends in `Py_FinalizeEx`, which
waits for threads and then runs the atexit hooks, the last registered first. The new worker
registers a hook of ours, which runs the earlier hooks, flushes, and ends the process. So all of the
application's hooks run, and the interpreter's teardown does not begin.

Hooks registered after ours have run already when ours does, and must not run twice.

Nobody knows the exit status by then, so it is noted earlier: from sys.exit(), and in a C program
that embeds Python (uWSGI) from exit(3), through on_exit(3).
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import sys
from collections.abc import Callable
from typing import Any

from cowherd_agent.leaving import atexit_hooks
from cowherd_agent.leaving.leaving import leave

_STATUS_UNHANDLED = 1


class _ExitStatus:
    """The status that this process is about to exit with, as far as it was noted."""

    def __init__(self) -> None:
        self.python: int | None = None
        self.c: int | None = None

    def value(self) -> int:
        if self.c is not None:
            return self.c
        if self.python is not None:
            return self.python
        # Set by the interpreter when it prints an uncaught exception.
        unhandled = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
        return _STATUS_UNHANDLED if unhandled is not None else 0


_status = _ExitStatus()
_installed_in_pid = 0
_on_exit_callback: Any = None


def install() -> None:
    """Call in a new worker. Only the first call in a process has an effect."""
    global _installed_in_pid, _status
    if _installed_in_pid == os.getpid():
        return
    _installed_in_pid = os.getpid()
    _status = _ExitStatus()
    for name in ("last_exc", "last_value", "last_type", "last_traceback"):
        if hasattr(sys, name):
            delattr(sys, name)
    _note_python_exit()
    if "uwsgi" in sys.modules:
        _note_c_exit()
    atexit.register(_leave_now)


def _leave_now() -> None:
    if _installed_in_pid != os.getpid():
        return
    atexit_hooks.forget_since(_leave_now)
    leave(_status.value())


def _note_python_exit() -> None:
    original: Callable[..., Any] = sys.exit
    status = _status

    def noting_exit(code: object = None, /) -> None:
        if code is None:
            status.python = 0
        elif isinstance(code, int):
            status.python = code & 0xFF
        else:
            status.python = _STATUS_UNHANDLED
        original(code)

    noting_exit.__name__ = noting_exit.__qualname__ = "exit"
    noting_exit.__doc__ = original.__doc__
    sys.exit = noting_exit  # type: ignore[assignment]


def _note_c_exit() -> None:
    """on_exit(3) handlers run last registered first: ours before the embedding program's."""
    global _on_exit_callback
    status = _status
    prototype = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p)

    def note(code: int, _argument: int | None) -> None:
        status.c = code & 0xFF

    _on_exit_callback = prototype(note)
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).on_exit(_on_exit_callback, None)
