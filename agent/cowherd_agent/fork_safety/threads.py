"""Which Python threads an application has left running, whose code each runs, and where it started.

A fork copies only the thread that forks. Another thread's work stops in the child, unless its
library starts it again there, and a lock that it held stays locked.
"""

from __future__ import annotations

import os
import sys
import threading
from types import BuiltinFunctionType, FrameType, FunctionType, MethodType
from typing import Any, NamedTuple

from cowherd_agent.fork_safety import native_threads
from cowherd_agent.places import PACKAGE_FOLDER

_LIBRARY_FOLDER = os.path.dirname(os.path.abspath(threading.__file__))

UNKNOWN = "unknown"

_FUNCTIONS = (FunctionType, BuiltinFunctionType)


class RunningThread(NamedTuple):
    """A thread besides the main one.

    Attributes:
        started_at: `file:line` of the caller outside the standard library, or `unknown`.
        code: what it runs, as `module.qualname`: its target, or its class if that is derived from
            Thread. This identifies a thread that has come back in a child.
        module: the outermost module that runs in it and is not of the standard library; empty if
            there is none.
        native_id: the kernel's id for it, unique in the process.
    """

    name: str
    started_at: str
    code: str
    module: str
    native_id: int | None

    @property
    def description(self) -> str:
        """In words: the thread's name, whose code it runs, where it was started."""
        of = f" of {self.module}" if self.module else f", which runs {self.code}"
        # Unknown for threads started before recording began, by an auto-instrumentation, say.
        at = "" if self.started_at == UNKNOWN else f", started at {self.started_at}"
        return f"thread {self.name!r}{of}{at}"


def record_starts() -> None:
    """Makes each thread remember where it was started, from now on; some 2 µs a thread.

    Workers do this too, since any of them may be the next mold. It is never undone: the application
    may have wrapped the function meanwhile.
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
    """The Python threads running now, besides the calling one."""
    frames = sys._current_frames()
    return [
        _describe(thread, frames.get(thread.ident or 0))
        for thread in threading.enumerate()
        if thread is not threading.current_thread() and not native_threads.is_native(thread)
    ]


def with_code(code: str) -> list[threading.Thread]:
    """The threads that run this code (`RunningThread.code`)."""
    return [
        thread
        for thread in threading.enumerate()
        if thread is not threading.current_thread() and _code_of(thread) == code
    ]


def target_of(thread: threading.Thread) -> Any:
    """What a thread calls, while it does; None for a thread with its own `run`. (`_target` of
    Lib/threading.py, 3.10 to 3.15.)"""
    return getattr(thread, "_target", None)


def _describe(thread: threading.Thread, frame: FrameType | None) -> RunningThread:
    return RunningThread(
        thread.name,
        getattr(thread, "_cowherd_started_at", UNKNOWN),
        _code_of(thread),
        _module_on_stack(frame) or _outside_library(_module_of(_function_of(thread))),
        thread.native_id,
    )


def _code_of(thread: threading.Thread) -> str:
    function = _function_of(thread)
    return f"{_module_of(function)}.{_text(function, '__qualname__')}"


def _function_of(thread: threading.Thread) -> object:
    """The function that the thread runs, or its class, whose `run` it runs."""
    target = thread.function if type(thread) is threading.Timer else target_of(thread)
    if type(target) is MethodType:
        target = target.__func__
    # A callable object or a partial does not say what it is.
    return target if type(target) in _FUNCTIONS else type(thread)


def _module_of(function: object) -> str:
    return _text(function, "__module__")


def _text(thing: object, name: str) -> str:
    """An attribute of a function or class, which may be an application's."""
    try:
        value = getattr(thing, name, "")
    except Exception:
        # A metaclass may raise whatever it likes.
        return "?"
    return value if type(value) is str else "?"


def _outside_library(module: str) -> str:
    return "" if module.partition(".")[0] in sys.stdlib_module_names else module


def _module_on_stack(frame: FrameType | None) -> str:
    """The outermost module that is neither the standard library's nor ours."""
    found = ""
    while frame is not None:
        module = frame.f_globals.get("__name__")
        if type(module) is str and not module.startswith("cowherd_agent."):
            found = _outside_library(module) or found
        frame = frame.f_back
    return found


def _caller_outside_library() -> str:
    """``file:line`` of the nearest frame that is neither the standard library's nor ours."""
    frame: FrameType | None = sys._getframe(1)
    nearest = None
    while frame is not None:
        path = frame.f_code.co_filename
        if not path.startswith(PACKAGE_FOLDER):
            nearest = nearest or f"{path}:{frame.f_lineno}"
            in_library = path.startswith(_LIBRARY_FOLDER) and "site-packages" not in path
            if not in_library and not path.startswith("<"):
                return f"{path}:{frame.f_lineno}"
        frame = frame.f_back
    return nearest or UNKNOWN
