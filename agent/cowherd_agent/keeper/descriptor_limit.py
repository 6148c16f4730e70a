"""The keeper's limit of open files: it holds two for each worker.

Its children keep the limit that the server was started with, which is the application's to see.
"""

from __future__ import annotations

import contextlib
import resource

_before: tuple[int, int] | None = None


def raise_limit() -> None:
    """To the hard limit, for this process."""
    global _before
    soft, hard = _before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def give_back(pid: int) -> None:
    """To a child, which has inherited it."""
    if _before is not None:
        # One that has ended needs none.
        with contextlib.suppress(OSError, ValueError):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, _before)
