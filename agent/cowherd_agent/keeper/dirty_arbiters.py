"""gunicorn's dirty arbiters whose mold was killed. Each ends by itself with the last process of its
mold's family (mold/dirty_guardian.py), and takes up to 3 s; no mold waits for it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable

# As mold/dirty_guardian.py names them.
NAME = b"cowherd-dirty\n"

_SECONDS = 4.0
_PAUSE_SECONDS = 0.02


def wait_for_their_end(reap: Callable[[], None]) -> None:
    """For a keeper that leaves: otherwise they would be left for a moment."""
    deadline = time.monotonic() + _SECONDS
    while _has_any() and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
        reap()


def _has_any() -> bool:
    # proc_pid_task(5), children: a kernel may be without this file.
    with contextlib.suppress(OSError):
        pid = os.getpid()
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            return any(_name_of(child) == NAME for child in children.read().split())
    return False


def _name_of(pid: str) -> bytes:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", "rb") as name:
        return name.read()
    return b""
