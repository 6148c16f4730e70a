"""Listeners of logging's queues: their thread ends before a fork, and each process has one after.

A `logging.handlers.QueueListener` writes in a thread of its own what handlers have put into a
queue. In a child the thread is not there, and log records would stay in the queue for ever. The
listener's own stop() and start() are called around each fork from now on, which a fork waits for:
stop() writes what is queued, so that no record is written twice.
"""

from __future__ import annotations

import os
from types import MethodType
from typing import Any

from cowherd_agent import threads

_CODE = "logging.handlers.QueueListener._monitor"

# Those whose functions are registered; a registration can't be taken back.
_followed: list[Any] = []


def follow_forks() -> int:
    """Has the listeners whose threads run in this process follow its forks; returns how many
    these are."""
    found = 0
    for thread in threads.with_code(_CODE):
        target = threads.target_of(thread)
        listener: Any = target.__self__ if type(target) is MethodType else None
        if listener is None or any(each is listener for each in _followed):
            continue
        _followed.append(listener)
        os.register_at_fork(
            before=listener.stop, after_in_parent=listener.start, after_in_child=listener.start
        )
        found += 1
    return found
