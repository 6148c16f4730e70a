"""Schedulers whose jobs run in a mold: they rest while another mold is made, which has the same.

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
    """Those of this process that rest."""

    def __init__(self) -> None:
        self._paused: list[Any] = []

    def pause(self) -> int:
        """Has all that run rest; returns how many these are."""
        running = [each for each in _found() if each.state == _RUNNING]
        for scheduler in running:
            scheduler.pause()
        self._paused += running
        return len(running)

    def resume(self) -> None:
        """Has those go on that rest by `pause`."""
        while self._paused:
            self._paused.pop().resume()


def _found() -> list[Any]:
    """By the loop that runs in a thread of its own, whoever has started that."""
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
