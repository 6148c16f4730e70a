"""How a keeper without a supervisor ends its herd: workers first, then molds, each with a deadline.

The steps are the supervisor's own (src/supervisor/decisions/processes/stopping.ts).
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable

# gunicorn's grace for a quick shutdown (gunicorn/arbiter.py, stop).
_QUICK_GRACE_SECONDS = 2.0

# How long molds may run their exit hooks.
_MOLD_GRACE_SECONDS = 5.0


class Drain:
    """``quick`` cuts requests in flight short; else workers get ``grace_seconds`` for them."""

    def __init__(self, quick: bool, grace_seconds: float) -> None:
        self._signal = signal.SIGQUIT if quick else signal.SIGTERM
        grace_seconds = _QUICK_GRACE_SECONDS if quick else grace_seconds
        self._deadline = time.monotonic() + grace_seconds
        self._signalled: set[int] = set()
        self._molds_told = False

    def timeout_ms(self) -> int:
        """How long to wait for the next event."""
        return max(0, round((self._deadline - time.monotonic()) * 1000)) + 1

    def is_over(self) -> bool:
        """Whether this step's deadline has passed: the remaining processes are to be killed."""
        return time.monotonic() >= self._deadline

    def signals(self, workers: Iterable[int]) -> list[tuple[int, int]]:
        """Signals to send, as pid and signal: to each new worker the drain's signal, after the
        deadline SIGKILL to all."""
        new = [pid for pid in workers if pid not in self._signalled]
        self._signalled.update(new)
        if self.is_over():
            return [(pid, signal.SIGKILL) for pid in workers]
        return [(pid, self._signal) for pid in new]

    def tells_molds(self) -> bool:
        """True once, when the molds are to be told; they get a new deadline then."""
        if self._molds_told:
            return False
        self._molds_told = True
        self._deadline = time.monotonic() + _MOLD_GRACE_SECONDS
        return True
