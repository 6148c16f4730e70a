"""Listeners of logging's queues: their threads end before a fork and start after it everywhere.

A `logging.handlers.QueueListener` has a thread that writes what handlers have put into a queue. A
child does not have that thread, and its log records would stay in the queue forever. So the
listener's own stop() and start() are called around each fork from now on. The fork waits for
stop(), which writes what is queued, so that no record is written twice.
"""

from __future__ import annotations

import os
from types import MethodType
from typing import Any

from cowherd_agent.fork_safety import threads

_CODE = "logging.handlers.QueueListener._monitor"

# A registration can't be taken back, so each listener is registered once.
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
    """Makes listeners that run in this process follow its forks; returns how many are new."""
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
