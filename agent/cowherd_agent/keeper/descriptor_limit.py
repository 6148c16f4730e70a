"""The keeper's limit of open files: the keeper holds two descriptors for each worker.

Its children keep the limit that the server was started with, since the application can see it.
"""

from __future__ import annotations

import contextlib
import resource

_before: tuple[int, int] | None = None


def raise_limit() -> None:
    """Raises this process's limit to the hard limit."""
    global _before
    soft, hard = _before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def give_back(pid: int) -> None:
    """Restores the original limit in a child, which inherited the raised one."""
    if _before is not None:
        # A child that has ended needs none.
        with contextlib.suppress(OSError, ValueError):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, _before)
