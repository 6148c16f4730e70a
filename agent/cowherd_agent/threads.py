"""Which threads an application has left running, and where each was started.

A fork copies only the thread that forks: another one's work stops in the child, and a lock
that it held stays locked.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any, NamedTuple

_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__))


class RunningThread(NamedTuple):
    """A thread besides the main one; ``started_at`` is ``file:line`` or 'unknown'."""

    name: str
    started_at: str


class ThreadRecorder:
    """Remembers, from ``install`` on, where each thread was started."""

    def __init__(self) -> None:
        self._started_at: dict[int, str] = {}
        self._original: Any = None

    def install(self) -> None:
        original = self._original = threading.Thread.start
        started_at = self._started_at

        def start(self: threading.Thread) -> None:
            started_at[id(self)] = _caller_outside_library()
            original(self)

        threading.Thread.start = start  # type: ignore[method-assign]

    def remove(self) -> None:
        """Puts ``Thread.start`` back, so that workers run the interpreter's own."""
        if self._original is not None:
            threading.Thread.start = self._original  # type: ignore[method-assign]
            self._original = None

    def running(self) -> list[RunningThread]:
        """The Python threads that run now, besides the calling one."""
        return [
            RunningThread(thread.name, self._started_at.get(id(thread), "unknown"))
            for thread in threading.enumerate()
            if thread is not threading.current_thread()
        ]


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
