"""The interface of every heap policy."""

from __future__ import annotations

from typing import Literal, Protocol

from cowherd_agent.collection.collector import Collector, CollectorSettings
from cowherd_agent.heap.report import PolicyReport, Progress

Promise = Literal["read", "collect"]
"""What a worker may do without losing shared memory: read every object; run a full collection."""


class HeapPolicy(Protocol):
    """A heap policy. One instance goes through a mold's life, and into each of its workers.

    The order of calls: `self_test` and `before_load`; `prepare`, once the application is loaded and
    warmed up; `after_fork` in each worker after its fork.
    """

    name: str
    promises: frozenset[Promise]
    """Promises that the scout verifies."""
    leaves_without_finalization: bool
    """Whether workers leave by leaving.leave(), which skips the interpreter's teardown."""

    gathers_code: bool
    """Whether code that warm-up requests run is moved together (code_placement.py)."""

    rehearses: bool
    """Whether warm-up requests are played until their code is adapted (rehearsal.py). In time,
    workers evict the entries that this leaves in the application's caches. Unless those are
    immortal, their memory is then reused, on pages that were shared."""

    def self_test(self) -> None:
        """Try on throwaway objects what `prepare` will do. Raises PolicyUnavailable."""

    def before_load(self) -> None:
        """Runs in the mold before the application is imported."""

    def prepare(self, progress: Progress | None = None) -> PolicyReport:
        """Runs in the mold once the application is loaded, before the first fork. Raises
        PolicyUnavailable if a self-test fails, and then has changed nothing."""

    def after_fork(self, settings: CollectorSettings | None = None) -> Collector | None:
        """Runs in a new worker. Returns the collector to call after each response, if any."""
