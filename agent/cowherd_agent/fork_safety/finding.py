"""One thing that a fork must not, or need not, share."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """
    Attributes:
        kind: 'thread', 'native threads', 'socket', 'database', 'lock', 'event loop' or 'file lock'.
        what: the thing itself: its type, and where it is.
        remedy: what to do about it, in one line.
        is_known_to_break: whether it is known to make workers hang or lose work.
    """

    kind: str
    what: str
    remedy: str
    is_known_to_break: bool = False

    @property
    def line(self) -> str:
        return f"{self.what}; {self.remedy}"
