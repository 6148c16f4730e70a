"""Schedulers whose jobs run in a mold: paused while another mold with the same jobs is made.

A job that is due once for the whole herd must not be run by two molds. APScheduler has calls for
that: pause() and resume() (apscheduler/schedulers/base.py, 3.x).
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

_PACKAGE = "apscheduler.schedulers."
_RUNNING = 1
"""STATE_RUNNING of apscheduler/schedulers/base.py."""


class Schedulers:
    """The schedulers of this process that Cowherd paused."""

    def __init__(self) -> None:
        self._paused: list[Any] = []

    def pause(self) -> int:
        """Pauses all running schedulers; returns how many."""
        running = [each for each in _found() if each.state == _RUNNING]
        for scheduler in running:
            scheduler.pause()
        self._paused += running
        return len(running)

    def resume(self) -> None:
        """Resumes the schedulers that `pause` paused."""
        while self._paused:
            self._paused.pop().resume()


def _found() -> list[Any]:
    """The schedulers, found by their loop in a thread, whoever started it."""
    schedulers = [_scheduler_of(frame) for frame in sys._current_frames().values()]
    return [each for each in schedulers if each is not None]


def _scheduler_of(frame: FrameType | None) -> Any:
    while frame is not None:
        module = frame.f_globals.get("__name__")
        if (
            type(module) is str
            and module.startswith(_PACKAGE)
            and frame.f_code.co_name == "_main_loop"
        ):
            return frame.f_locals.get("self")
        frame = frame.f_back
    return None
