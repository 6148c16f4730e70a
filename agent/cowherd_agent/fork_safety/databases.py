"""Open SQLite databases: SQLite forbids carrying a connection across a fork
(https://www.sqlite.org/howtocorrupt.html, 2.6). Databases of a server are sockets (sockets.py)."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence

from cowherd_agent.fork_safety.descriptors import Descriptor
from cowherd_agent.fork_safety.finding import Finding
from cowherd_agent.fork_safety.heap_search import HeapSearch
from cowherd_agent.fork_safety.loaded_classes import loaded_classes

_HEADER = b"SQLite format 3\0"
"""The first bytes of every database file (https://www.sqlite.org/fileformat.html, 1.3)."""


_CLASSES = (("_sqlite3", "Connection"),)

_MOST_PLACES = 3


def paths(opened: Sequence[Descriptor]) -> list[str]:
    """Paths of the databases among these files."""
    return sorted({each.target for each in opened if each.is_file and _is_database(each.number)})


def classes() -> list[type]:
    """Classes whose instances are connections to SQLite databases."""
    return loaded_classes(_CLASSES)


def find(opened: Sequence[Descriptor], heap: HeapSearch) -> list[Finding]:
    """Only SQLite knows which connection has which database open: each finding names all
    holders.
    """
    holders = heap.holders_of(heap.instances_of(classes()))
    places = sorted({holder.place for holder in holders.values() if holder.place})[:_MOST_PLACES]
    held = f" (held in {', '.join(places)})" if places else ""
    return [
        Finding(
            "database",
            f"SQLite database {path} is open{held}",
            "close the connection in the before_mold hook, and open one in after_fork or at the"
            " first request",
        )
        for path in paths(opened)
    ]


def _is_database(descriptor: int) -> bool:
    try:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            # Nobody writes through a read-only descriptor, and any lock is not inherited. C
            # libraries keep their own tables this way, PROJ for one.
            return False
        return os.pread(descriptor, len(_HEADER), 0) == _HEADER
    except OSError:
        # Open for writing only, as logs are.
        return False
