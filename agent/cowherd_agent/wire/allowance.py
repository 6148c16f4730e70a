"""How much one worker may send: a bucket of bytes that refills with time."""

from __future__ import annotations

from typing import Final

AT_ONCE_BYTES: Final = 256 * 1024
BYTES_A_SECOND: Final = 32 * 1024

# The cost of a message beyond its length: reading, relaying and logging it.
MESSAGE_BYTES: Final = 512


class Allowance:
    """Full at first. Times are those of ``time.monotonic``."""

    __slots__ = ("_bytes", "_since")

    def __init__(self, now: float) -> None:
        self._bytes: float = AT_ONCE_BYTES
        self._since = now

    def takes(self, length_bytes: int, now: float) -> bool:
        """Whether a message of this length fits the allowance; one that does not costs nothing."""
        refilled = self._bytes + (now - self._since) * BYTES_A_SECOND
        self._bytes = min(AT_ONCE_BYTES, refilled)
        self._since = now
        cost = length_bytes + MESSAGE_BYTES
        if cost > self._bytes:
            return False
        self._bytes -= cost
        return True
