"""Locks that are held: nobody will release the copy that a worker gets.

Only locks that are a module's globals are seen, and those of logging's handlers. A lock is no
container, so the collector does not know it and the heap has no list of locks.
"""

from __future__ import annotations

import _thread
import sys
import time
from collections.abc import Iterator
from typing import Any

from cowherd_agent.fork_safety.finding import Finding
from cowherd_agent.fork_safety.foreign_modules import loaded_modules, namespace_of
from cowherd_agent.fork_safety.heap_search import kind_name

_LOCKS = frozenset((_thread.LockType, _thread.RLock))


MOMENT_SECONDS = 0.05
"""A lock held for less than this is in normal use: its thread will release it."""


def find() -> list[Finding]:
    held = [(where, lock) for where, lock in _visible_locks() if _is_held(lock)]
    if held:
        time.sleep(MOMENT_SECONDS)
    return [
        Finding(
            "lock",
            f"{where} is a lock that is held",
            "a worker that wants it waits for ever: release it before the fork"
            " (os.register_at_fork, or the before_mold hook)",
        )
        for where, lock in held
        if _is_held(lock)
    ]


def _visible_locks() -> Iterator[tuple[str, Any]]:
    for name, module in loaded_modules():
        # Another name of `__main__`, whose locks would be reported twice.
        if name == "__mp_main__":
            continue
        variables = namespace_of(module)
        kinds = [(variable, type(value)) for variable, value in list(variables.items())]
        for variable in [variable for variable, kind in kinds if kind in _LOCKS]:
            yield f"{name}.{variable}", variables[variable]
    logging: Any = sys.modules.get("logging")
    for reference in list(getattr(logging, "_handlerList", ())):
        handler = reference()
        lock = getattr(handler, "lock", None)
        if type(lock) in _LOCKS:
            yield f"the lock of the log handler {_words_for(handler)}", lock


def _words_for(handler: object) -> str:
    try:
        return repr(handler)
    except Exception:
        # A handler class of the application.
        return kind_name(type(handler))


def _is_held(lock: Any) -> bool:
    # Before 3.14 an RLock has no locked() (Modules/_threadmodule.c, rlock_repr).
    return repr(lock).startswith("<locked")
