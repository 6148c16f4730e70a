"""`instagram`: what a large Django site did first (docs/heap-policies.md).

Automatic collection is off by a threshold of 0, which a library's gc.enable() does not undo. The
guard holds calls that would. Workers leave without finalization. Cyclic garbage is never freed, and
reading an object still copies its page.
"""

from __future__ import annotations

from cowherd_agent.collection.collector import Collector, CollectorSettings, watch_collections
from cowherd_agent.heap.report import PolicyReport, Progress
from cowherd_agent.interpreter import rawgc
from cowherd_agent.policies.base import Promise


class Instagram:
    name = "instagram"
    promises: frozenset[Promise] = frozenset()
    leaves_without_finalization = True
    gathers_code = False
    rehearses = False

    def self_test(self) -> None:
        """Nothing to test."""

    def before_load(self) -> None:
        rawgc.set_threshold(0)

    def prepare(self, progress: Progress | None = None) -> PolicyReport:
        """Sets the threshold again, since the application may have changed it during loading."""
        rawgc.set_threshold(0)
        return PolicyReport(self.name, ())

    def after_fork(self, settings: CollectorSettings | None = None) -> Collector | None:
        rawgc.set_threshold(0)
        watch_collections(settings)
        return None
