"""`freeze`: hides the mold's objects from the collector before the fork.

The collector is off while the mold loads, by a threshold of 0: a library's gc.enable() does not
undo that, and gc.isenabled() stays as libraries expect it. Then gc.freeze() moves every tracked
object into the permanent generation, whose headers no collection writes. In workers, automatic
collection stays off and cowherd_agent.collection.collector collects after responses.

Reference counts are still written: a worker that reads an object copies its page.
"""

from __future__ import annotations

from cowherd_agent.collection.collector import (
    Collector,
    CollectorSettings,
    note_frozen_objects,
    watch_collections,
)
from cowherd_agent.heap.report import PolicyReport, Progress, StepReport, Throttle
from cowherd_agent.heap.seal import seal
from cowherd_agent.heap.seal_c_heap import seal_c_heap
from cowherd_agent.heap.trim import trim
from cowherd_agent.interpreter import rawgc, type_versions
from cowherd_agent.interpreter.interpreter import identify
from cowherd_agent.interpreter.rollup import anonymous_bytes
from cowherd_agent.leaving import open_files
from cowherd_agent.policies.base import Promise


class Freeze:
    name = "freeze"
    promises: frozenset[Promise] = frozenset({"collect"})
    leaves_without_finalization = True
    gathers_code = True
    rehearses = False

    def __init__(self) -> None:
        self._frozen = 0

    def self_test(self) -> None:
        """Nothing to test: gc.freeze() is documented since 3.7."""

    def before_load(self) -> None:
        identify()  # Cached here, so that workers need not look it up.
        rawgc.set_threshold(0)

    def prepare(self, progress: Progress | None = None) -> PolicyReport:
        rawgc.set_threshold(0)
        steps = [
            collect_garbage(progress),
            assign_type_versions(progress),
            # Objects of earlier generations stay frozen: listing them would write their counts.
            freeze_objects(progress, frozen_already=self._frozen),
            *close_holes(progress),
        ]
        self._frozen += steps[2].counts["frozen"]
        return PolicyReport(self.name, tuple(steps))

    def after_fork(self, settings: CollectorSettings | None = None) -> Collector | None:
        return start_collector(settings)


def collect_garbage(progress: Progress | None) -> StepReport:
    """Frees the cyclic garbage of loading, since it would stay forever.

    CPython's documentation of gc.freeze() advises against a collection before it, because later
    writes fill the holes that the collection leaves. Measured with 90,000 dead cycles in a heap of
    60 MiB of records (mold, unshared per worker, and the memory of a mold with 8 workers that each
    make 12 MiB of their own; MiB):

    ==============================  =====  ========  =========
    freeze, CPython 3.13            mold   unshared  8 workers
    ==============================  =====  ========  =========
    not collected, not sealed       134.6       0.7        183
    collected, not sealed           100.0       8.0        193
    not collected, sealed           135.3       0.7        194
    collected, sealed (as it is)     96.1       0.8        151
    ==============================  =====  ========  =========

    So the advice holds without sealing; with sealing, collecting wins. The same holds on 3.10 (214,
    240, 211, 161) and under immortal (184, 194, 190, 150). A full collection also empties the
    interpreter's free lists, whose slots can then be sealed.
    """
    throttle = Throttle(progress, "collect")
    before = anonymous_bytes()
    freed = rawgc.collect()
    seconds = throttle.end(freed)
    return StepReport("collect", seconds, anonymous_bytes() - before, {"objects_freed": freed})


def assign_type_versions(progress: Progress | None) -> StepReport:
    throttle = Throttle(progress, "type versions")
    assigned = type_versions.assign()
    return StepReport("type versions", throttle.end(assigned), 0, {"types": assigned})


def freeze_objects(progress: Progress | None, frozen_already: int = 0) -> StepReport:
    throttle = Throttle(progress, "freeze")
    files = open_files.remember()
    count = len(rawgc.get_objects())
    note_frozen_objects(frozen_already + count)
    rawgc.freeze()
    return StepReport("freeze", throttle.end(count), counts={"frozen": count, "open_files": files})


def close_holes(progress: Progress | None) -> list[StepReport]:
    """Free memory on pages that workers will share: give back what is possible, seal the rest."""
    return [seal(progress), trim(progress), seal_c_heap(progress)]


def start_collector(settings: CollectorSettings | None) -> Collector:
    """Switch automatic collection off in a new worker, and return our own collector in its place.

    CPython's collector stays enabled: with a threshold of 0 it starts nothing by itself, and a
    library that asks gc.isenabled(), to restore it later, gets the usual answer.
    """
    rawgc.set_threshold(0)
    watch_collections(settings)
    return Collector(settings)
