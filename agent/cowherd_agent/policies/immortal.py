"""`immortal`: `freeze`, and no object of the mold's heap counts references any more.

Both are needed: gc.freeze() does not stop reference counting, and immortality does not stop the
collector. The walk comes before the freeze, because gc.get_objects() leaves frozen objects out.
"""

from __future__ import annotations

from cowherd_agent.collection.collector import Collector, CollectorSettings
from cowherd_agent.heap import immortality
from cowherd_agent.heap.report import PolicyReport, Progress
from cowherd_agent.interpreter import rawgc
from cowherd_agent.policies.base import Promise
from cowherd_agent.policies.freeze import (
    assign_type_versions,
    close_holes,
    collect_garbage,
    freeze_objects,
    start_collector,
)


class Immortal:
    name = "immortal"
    promises: frozenset[Promise] = frozenset({"read", "collect"})
    leaves_without_finalization = True
    gathers_code = True
    rehearses = True

    def self_test(self) -> None:
        immortality.self_test()

    def before_load(self) -> None:
        rawgc.set_threshold(0)

    def prepare(self, progress: Progress | None = None) -> PolicyReport:
        immortality.self_test()
        rawgc.set_threshold(0)
        steps = [
            collect_garbage(progress),
            assign_type_versions(progress),
            immortality.immortalize(progress),
            freeze_objects(progress),
            *close_holes(progress),
        ]
        return PolicyReport(self.name, tuple(steps))

    def after_fork(self, settings: CollectorSettings | None = None) -> Collector | None:
        return start_collector(settings)
