"""Which threads an application has left running, and where each was started.

A fork copies only the thread that forks: another one's work stops in the child, and a lock
that it held stays locked.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import NamedTuple

_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__))


class RunningThread(NamedTuple):
    """A thread besides the main one; ``started_at`` is ``file:line`` or 'unknown'."""

    name: str
    started_at: str


def record_starts() -> None:
    """Has each thread remember, from now on, where it was started; some 2 µs a thread.

    Also in workers, any of which may be the next mold. It stays for good: the application may have
    put a function of its own around it.
    """
    original = threading.Thread.start
    if getattr(original, "_cowherd_records", False):
        return

    def start(self: threading.Thread) -> None:
        self._cowherd_started_at = _caller_outside_library()  # type: ignore[attr-defined]
        original(self)

    start._cowherd_records = True  # type: ignore[attr-defined]
    threading.Thread.start = start  # type: ignore[method-assign]


def running() -> list[RunningThread]:
    """The Python threads that run now, besides the calling one."""
    return [
        RunningThread(thread.name, getattr(thread, "_cowherd_started_at", "unknown"))
        for thread in threading.enumerate()
        if thread is not threading.current_thread()
    ]


def wait_for_end(seconds: float) -> None:
    """Waits until this is the only thread, Python's or native, but no longer than that."""
    deadline = time.monotonic() + seconds
    while native_threads() > 1 and time.monotonic() < deadline:
        time.sleep(0.002)


def native_threads() -> int:
    """How many threads the kernel sees in this process (Documentation/filesystems/proc.rst)."""
    return len(os.listdir("/proc/self/task"))


def describe(threads: list[RunningThread]) -> str:
    """One line: every thread with its name and where it was started."""
    return "; ".join(f"{each.name!r} started at {each.started_at}" for each in threads)


def _caller_outside_library() -> str:
    """``file:line`` of the nearest frame that is neither the standard library's nor ours."""
    library = os.path.dirname(os.path.abspath(threading.__file__))
    frame = sys._getframe(1)
    nearest = None
    while frame is not None:
        path = frame.f_code.co_filename
        if not path.startswith(_OWN_FOLDER):
            nearest = nearest or f"{path}:{frame.f_lineno}"
            in_library = path.startswith(library) and "site-packages" not in path
            if not in_library and not path.startswith("<"):
                return f"{path}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return nearest or "unknown"
