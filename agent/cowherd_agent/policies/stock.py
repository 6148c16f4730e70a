"""`stock`: leaves the heap alone, as with gunicorn's preload_app or uWSGI's prefork."""

from __future__ import annotations

from cowherd_agent.collection.collector import Collector, CollectorSettings, watch_collections
from cowherd_agent.heap.report import PolicyReport, Progress
from cowherd_agent.policies.base import Promise


class Stock:
    name = "stock"
    promises: frozenset[Promise] = frozenset()
    leaves_without_finalization = False
    gathers_code = False
    rehearses = False

    def self_test(self) -> None:
        """Nothing to test."""

    def before_load(self) -> None:
        """The collector runs while the application is loaded, as usual."""

    def prepare(self, progress: Progress | None = None) -> PolicyReport:
        return PolicyReport(self.name, ())

    def after_fork(self, settings: CollectorSettings | None = None) -> Collector | None:
        """The collector stays as the application set it; collections are only counted."""
        watch_collections(settings)
        return None
