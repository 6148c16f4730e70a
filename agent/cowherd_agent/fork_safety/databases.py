"""SQLite databases that are open: it forbids to take a connection across a fork
(https://www.sqlite.org/howtocorrupt.html, 2.6). Databases of a server are sockets (sockets.py)."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cowherd_agent.fork_safety.descriptors import Descriptor
from cowherd_agent.fork_safety.finding import Finding

_HEADER = b"SQLite format 3\0"
"""The first bytes of every database file (https://www.sqlite.org/fileformat.html, 1.3)."""


def find(opened: Sequence[Descriptor]) -> list[Finding]:
    paths = {each.target for each in opened if each.is_file and _is_database(each.number)}
    return [
        Finding(
            "database",
            f"SQLite database {path} is open",
            "close the connection in the before_mold hook, and open one in after_fork or at the"
            " first request",
        )
        for path in sorted(paths)
    ]


def _is_database(descriptor: int) -> bool:
    try:
        return os.pread(descriptor, len(_HEADER), 0) == _HEADER
    except OSError:
        # Open for writing only, as logs are.
        return False
