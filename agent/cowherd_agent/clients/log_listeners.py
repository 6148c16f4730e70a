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

from cowherd_agent.fork_safety import threads

_CODE = "logging.handlers.QueueListener._monitor"

# Those that are followed; a registration can't be taken back.
_followers: list[_Follower] = []


class _Follower:
    """Stops a listener before a fork and starts it after, if it ran."""

    def __init__(self, listener: Any) -> None:
        self.listener = listener
        self._ran = False

    def before(self) -> None:
        # Its owner may have stopped it meanwhile.
        self._ran = any(each is self.listener for each in _running())
        if self._ran:
            self.listener.stop()

    def after(self) -> None:
        if self._ran:
            self.listener.start()


def follow_forks() -> int:
    """Has the listeners whose threads run in this process follow its forks; returns how many
    these are."""
    known = [follower.listener for follower in _followers]
    new = [each for each in _running() if not any(each is listener for listener in known)]
    for listener in new:
        follower = _Follower(listener)
        _followers.append(follower)
        os.register_at_fork(
            before=follower.before, after_in_parent=follower.after, after_in_child=follower.after
        )
    return len(new)


def _running() -> list[Any]:
    """The listeners that have a thread."""
    targets = [threads.target_of(thread) for thread in threads.with_code(_CODE)]
    return [target.__self__ for target in targets if type(target) is MethodType]
