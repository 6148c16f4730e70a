"""Names of Python functions for ``perf``, in the workers.

CPython 3.12 and newer can call each function through its own small piece of machine code, whose
address and name it writes to ``/tmp/perf-PID.map`` (Python/perf_trampoline.c,
Doc/howto/perf_profiling.rst). perf, and ``cowherd record``, then show the function in stacks.

This is switched on in each worker, not in the mold, since the file is named by the pid. After a
fork the child would either begin again, without the functions that it is in, or copy its parent's
file (PyUnstable_PerfTrampoline_SetPersistAfterFork), twice for a worker, which is forked twice. So
functions entered before have no name, and those are only Cowherd's.

The cost: an indirection in each call, and a word in each code object that a worker runs, which
copies the page that the object is on. A recording shows those copies.

CPython leaves the file behind. The mold removes it when the worker has ended.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cowherd_agent.wire.channel import Channel


def why_not() -> str | None:
    """Why this interpreter can't name its functions; None if it can."""
    if sys.implementation.name != "cpython" or sys.version_info < (3, 12):
        name = f"{sys.implementation.name} {sys.version_info.major}.{sys.version_info.minor}"
        return f"it needs CPython 3.12 or newer, and this is {name}"
    import sysconfig

    if not sysconfig.get_config_var("PY_HAVE_PERF_TRAMPOLINE"):
        return "this interpreter is built without it"
    return None


def arrange(channel: Channel) -> None:
    """In a worker: names each function that is entered from now on. The mold has already warned of
    an interpreter that can't."""
    if why_not() is not None:
        return
    reason = switch_on()
    if reason is not None:
        text = f"perf_names: worker {os.getpid()} has none: {reason}"
        channel.send_if_possible({"type": "notice", "level": "warning", "text": text})


def switch_on() -> str | None:
    """Returns the reason if it is impossible, else None."""
    if sys.version_info < (3, 12):
        return why_not()
    # A leftover of an earlier process with this pid.
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
    # Another user's file in the shared folder can't be removed, and need not be.
    with contextlib.suppress(OSError):
        os.unlink(f"/tmp/perf-{pid}.map")
