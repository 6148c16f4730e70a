"""Reports of a heap policy, during its work and afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

PROGRESS_INTERVAL_SECONDS = 0.1


class ProgressEvent(NamedTuple):
    """Progress of a step. `total` is None if it can't be known before the end."""

    step: str
    done: int
    total: int | None
    seconds: float


Progress = Callable[[ProgressEvent], None]
"""Gets at most about ten events per second and step, and one when the step ends."""


class StepReport(NamedTuple):
    """One step of a policy's preparation.

    Attributes:
        name: the step, as in "immortalize", "seal".
        seconds: how long it took.
        price_bytes: growth of the mold's own anonymous memory (negative: it shrank).
        counts: what was done, by name ("objects", "hashes", "blocks", ...).
        skipped: why the step was not done, or None.
    """

    name: str
    seconds: float
    price_bytes: int = 0
    counts: Mapping[str, int] = MappingProxyType({})
    skipped: str | None = None


class PolicyReport(NamedTuple):
    """What a policy's `prepare` did to the mold."""

    policy: str
    steps: tuple[StepReport, ...]

    @property
    def seconds(self) -> float:
        return sum(step.seconds for step in self.steps)

    @property
    def price_bytes(self) -> int:
        return sum(step.price_bytes for step in self.steps)

    def as_dict(self) -> dict[str, Any]:
        """For a message or a log; plain JSON types only."""
        return {
            "policy": self.policy,
            "seconds": self.seconds,
            "price_bytes": self.price_bytes,
            "steps": [{**step._asdict(), "counts": dict(step.counts)} for step in self.steps],
        }


class Throttle:
    """Lets a progress callback through at most about ten times a second."""

    def __init__(self, progress: Progress | None, step: str, total: int | None = None) -> None:
        self._progress = progress
        self._step = step
        self._total = total
        self._started = time.perf_counter()
        self._next = self._started + PROGRESS_INTERVAL_SECONDS

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started

    def at(self, done: int) -> None:
        """Report `done` if a report is due."""
        if self._progress is None:
            return
        now = time.perf_counter()
        if now >= self._next:
            self._next = now + PROGRESS_INTERVAL_SECONDS
            self._progress(ProgressEvent(self._step, done, self._total, now - self._started))

    def end(self, done: int) -> float:
        """Report the end, and return the step's seconds."""
        seconds = self.seconds
        if self._progress is not None:
            self._progress(ProgressEvent(self._step, done, done, seconds))
        return seconds
