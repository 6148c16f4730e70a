"""What every heap policy is."""

from __future__ import annotations

from typing import Literal, Protocol

from cowherd_agent.collection.collector import Collector, CollectorSettings
from cowherd_agent.heap.report import PolicyReport, Progress

Promise = Literal["read", "collect"]
"""What a worker may do without losing what it shares: read every object; run a full collection."""


class HeapPolicy(Protocol):
    """A heap policy. One instance goes through a mold's life, and into each of its workers.

    The calls come in this order: `self_test`, `before_load`, then the application is loaded and
    warmed up, `prepare`, and after each fork `after_fork` in the worker.
    """

    name: str
    promises: frozenset[Promise]
    """What the scout holds the policy to."""
    leaves_without_finalization: bool
    """Whether workers leave by leaving.leave(), which skips the interpreter's teardown."""

    gathers_code: bool
    """Whether code that warm-up requests run is put together (code_placement.py)."""

    rehearses: bool
    """Whether warm-up requests are played until what they run is adapted (rehearsal.py). What that
    leaves in the application's caches is thrown out by workers in time; unless it is immortal, its
    memory is then used anew, on pages that were shared."""

    def self_test(self) -> None:
        """Try on throwaway objects what `prepare` will do. Raises PolicyUnavailable."""

    def before_load(self) -> None:
        """Runs in the mold before the application is imported."""

    def prepare(self, progress: Progress | None = None) -> PolicyReport:
        """Runs in the mold once the application is loaded, before the first fork. Raises
        PolicyUnavailable if a self-test fails; nothing was changed then."""

    def after_fork(self, settings: CollectorSettings | None = None) -> Collector | None:
        """Runs in a new worker. Gives the collector to call after each response, if any."""
