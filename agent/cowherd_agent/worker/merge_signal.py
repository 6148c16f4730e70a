"""SIGMERGE: a worker lets the kernel merge its memory, when the supervisor says so."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from cowherd_agent.merging import allow_merging
from cowherd_agent.worker.worker_signals import on_signal

if TYPE_CHECKING:
    from types import FrameType

    from cowherd_agent.worker.worker_start import WorkerStart

SIGMERGE: Final = 47
"""A real-time signal (signal(7)), which no worker class uses. Also in
src/supervisor/herd/signals.ts."""


def arrange(start: WorkerStart) -> None:
    """Makes this worker allow merging at SIGMERGE, from now on."""

    def merge(_number: int, _frame: FrameType | None) -> None:
        reason = allow_merging()
        if reason is not None:
            text = f"The memory of worker {os.getpid()} can't be merged: {reason}"
            start.channel.send_if_possible({"type": "notice", "level": "warning", "text": text})

    on_signal(start.worker, SIGMERGE, merge)
