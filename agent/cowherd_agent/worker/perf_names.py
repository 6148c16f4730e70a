"""Names of Python functions for ``perf``, in the workers.

CPython 3.12 and newer can call each function through a small piece of machine code of its own, and
writes where that is and what it is called to ``/tmp/perf-PID.map`` (Python/perf_trampoline.c,
Doc/howto/perf_profiling.rst). perf, and ``cowherd record``, then show the function in stacks.

It is switched on in each worker, and not in the mold: the file is named by the pid. After a fork
the child would either begin anew, without the functions that it is in, or copy its parent's file
(PyUnstable_PerfTrampoline_SetPersistAfterFork), twice for a worker, which is forked twice. So
functions that were entered before have no name, and those are only ours.

What it costs: an indirection in each call, and a word in each code object that a worker runs, which
copies the page that the object is on. A recording shows those copies.

CPython leaves the file behind. Here the mold removes that of a worker that has ended.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cowherd_agent.wire.channel import Channel


def why_not() -> str | None:
    """Why this interpreter can't name its functions; None when it can."""
    if sys.implementation.name != "cpython" or sys.version_info < (3, 12):
        name = f"{sys.implementation.name} {sys.version_info.major}.{sys.version_info.minor}"
        return f"it needs CPython 3.12 or newer, and this is {name}"
    import sysconfig

    if not sysconfig.get_config_var("PY_HAVE_PERF_TRAMPOLINE"):
        return "this interpreter is built without it"
    return None


def arrange(channel: Channel) -> None:
    """In a worker: from now on each function that is entered has a name. An interpreter that can't
    was warned of by the mold."""
    if why_not() is not None:
        return
    reason = switch_on()
    if reason is not None:
        text = f"perf_names: not available in worker {os.getpid()}: {reason}"
        channel.send_if_possible({"type": "notice", "level": "warning", "text": text})


def switch_on() -> str | None:
    """Gives the reason where it can't be, else None."""
    if sys.version_info < (3, 12):
        return why_not()
    # Of an earlier process with this pid.
    forget(os.getpid())
    try:
        sys.activate_stack_trampoline("perf")
    except (RuntimeError, ValueError, OSError) as error:
        return str(error)
    return None


def switch_off() -> None:
    """In a worker that becomes a mold."""
    if sys.version_info >= (3, 12) and sys.is_stack_trampoline_active():
        sys.deactivate_stack_trampoline()
        forget(os.getpid())


def forget(pid: int) -> None:
    """Removes the map of a process that has ended."""
    # Somebody else's, in a folder that is everybody's, can't be removed, and need not be.
    with contextlib.suppress(OSError):
        os.unlink(f"/tmp/perf-{pid}.map")
