"""Collects cyclic garbage outside requests.

Under the policies `freeze` and `immortal` a worker's automatic collection is off. Instead the
worker calls `Collector.request_finished()` after each response was sent. The collector runs when
enough young objects have gathered, with rules like CPython's own for older generations, so that
cycles are freed, memory stays bounded, and no request waits.

Sources: `gc_collect_generations` in Modules/gcmodule.c (3.10, 3.11) and Python/gc.c (3.12+), for
the rule that a full collection waits for pending objects in proportion to the survivors of the last
one; Python/gc.c of 3.14.0 to 3.14.4 for the incremental collector. That collector has no middle
generation, and gc.collect(1) does an increment whose size has no useful bound, so only young and
full collections are made there.
"""

from __future__ import annotations

import gc
import time
from _thread import allocate_lock
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from cowherd_agent.interpreter import rawgc
from cowherd_agent.interpreter.interpreter import identify
from cowherd_agent.wire import scoreboard

YOUNG_PER_MIDDLE = 5
"""After this many young collections, the middle generation is collected too."""

FULL_PENDING_PER_HEAP = 0.125
"""A full collection waits for this many pending objects per object of the whole heap, including the
mold's frozen ones. CPython's own rule is a quarter; this is half, since no request waits."""

FULL_PENDING_PER_LONG_LIVED = 1
"""A full collection waits for this many pending objects per survivor of the last one.

A full collection visits only the worker's own objects. At 1 it visits each survivor about once, so
a worker that fills a large cache does not keep rescanning it.
"""

FULL_PENDING_AFTER_FUTILE = 2
"""Replaces FULL_PENDING_PER_LONG_LIVED after a futile full collection: an application without
long-lived cycles pays for them half as often."""

FUTILE_SHARE = 0.01
"""A full collection that frees less than this share of what it visited was futile."""

FULL_PENDING_YOUNG = 10
"""A full collection also waits until this many times `collect_after` objects are pending."""

BUSY_PATIENCE = 4
"""While other requests are being served, wait for this many times `collect_after` young objects."""


class SlotLike(Protocol):
    """A scoreboard row: 32 unsigned 64-bit words with one writer."""

    words: memoryview


class CollectorSettings(NamedTuple):
    """
    Attributes:
        collect_after: young objects (net new container objects) that set off a collection.
        slot: the worker's scoreboard row, for the counters; None keeps them in the process.
    """

    collect_after: int = 10_000
    slot: SlotLike | None = None


@dataclass(slots=True)
class Generations:
    """The rule's state for a worker's own objects; the mold's are frozen and do not count."""

    young_since_middle: int = 0
    pending: int = 0
    """Objects that survived a young collection since the last full one."""
    long_lived: int = 0
    """Objects that survived the last full collection."""
    last_full_was_futile: bool = False
    frozen: int = 0
    """The mold's tracked objects, which no collection visits."""

    def next_collection(self, young: int, collect_after: int, has_middle: bool) -> int:
        """Which generation to collect now that `young` objects have gathered. Pure."""
        pending = self.pending + young
        futile = self.last_full_was_futile
        share = FULL_PENDING_AFTER_FUTILE if futile else FULL_PENDING_PER_LONG_LIVED
        enough = max(
            FULL_PENDING_YOUNG * collect_after,
            self.long_lived * share,
            (self.frozen + self.long_lived) * FULL_PENDING_PER_HEAP,
        )
        if pending >= enough:
            return 2
        if has_middle and self.young_since_middle + 1 >= YOUNG_PER_MIDDLE:
            return 1
        return 0

    def collected(self, generation: int, young: int, freed: int) -> None:
        """Note that a collection ended: `young` objects went in, `freed` were freed."""
        if generation == 2:
            visited = self.long_lived + self.pending + young
            self.last_full_was_futile = freed < visited * FUTILE_SHARE
            self.long_lived = max(0, self.long_lived + self.pending + young - freed)
            self.pending = 0
            self.young_since_middle = 0
            return
        self.pending = max(0, self.pending + young - freed)
        self.young_since_middle = 0 if generation == 1 else self.young_since_middle + 1


_frozen_objects = 0


def note_frozen_objects(count: int) -> None:
    """Notes how many tracked objects a mold is about to freeze.

    Workers could ask gc.get_freeze_count(), but it walks all frozen objects.
    """
    global _frozen_objects
    _frozen_objects = count


def _own_words() -> memoryview:
    """Returns counters that nobody else reads, for processes without a scoreboard."""
    return memoryview(array("Q", bytes(8 * scoreboard.ROW_WORDS)))


class Collector:
    """One per worker. `request_finished` may be called from any thread."""

    def __init__(self, settings: CollectorSettings | None = None) -> None:
        settings = settings or CollectorSettings()
        self.collect_after = max(1, settings.collect_after)
        self._patience = self.collect_after * BUSY_PATIENCE
        # A lock of _thread: gevent's replacement of threading.Lock may switch greenlets.
        self._lock = allocate_lock()
        self._words = _own_words() if settings.slot is None else settings.slot.words
        self._generations = Generations(frozen=_frozen_objects)
        self._has_middle = not identify().incremental_collector
        self._get_count: Callable[[], tuple[int, int, int]] = rawgc.get_count

    def request_finished(self, in_flight: int = 0) -> None:
        """Call after a response was sent; collects if a collection is due.

        `in_flight` is how many other requests this process is serving. They would have to wait, so
        the collection is put off while there are any, but not forever.
        """
        young = self._get_count()[0]
        if young < self.collect_after:
            return
        if in_flight > 0 and young < self._patience:
            return
        self.collect(young)

    def collect(self, young: int) -> bool:
        """Makes one collection, of the generation that is due. False if one was under way."""
        if not self._lock.acquire(False):
            return False
        try:
            generations = self._generations
            generation = generations.next_collection(young, self.collect_after, self._has_middle)
            started = time.perf_counter_ns()
            _WATCH.expect_own()
            try:
                freed = rawgc.collect(generation)
            finally:
                _WATCH.own_ended()
            words = self._words
            words[scoreboard.COLLECTIONS_OUTSIDE] += 1
            words[scoreboard.COLLECTIONS_OUTSIDE_NS] += time.perf_counter_ns() - started
            words[scoreboard.OBJECTS_FREED] += freed
            generations.collected(generation, young, freed)
            return True
        finally:
            self._lock.release()

    @property
    def collections(self) -> int:
        return int(self._words[scoreboard.COLLECTIONS_OUTSIDE])

    @property
    def collections_seconds(self) -> float:
        return int(self._words[scoreboard.COLLECTIONS_OUTSIDE_NS]) / 1e9

    @property
    def objects_freed(self) -> int:
        return int(self._words[scoreboard.OBJECTS_FREED])


class CollectionWatch:
    """Counts, through gc.callbacks, the collections that our collector did not start: automatic
    ones, those of C code, and those that the application asks for."""

    def __init__(self) -> None:
        self._words = _own_words()
        self._own = False
        self._started_ns = 0
        self.on_start: Callable[[int], None] | None = None
        """Called with the generation when a collection that is not ours starts."""

    def expect_own(self) -> None:
        self._own = True

    def own_ended(self) -> None:
        self._own = False

    def install(self, slot: SlotLike | None) -> None:
        """Count into `slot` from now on. Once per process is enough; repeating it is harmless."""
        self._words = _own_words() if slot is None else slot.words
        if self._callback not in gc.callbacks:
            gc.callbacks.append(self._callback)

    def remove(self) -> None:
        """Stop counting."""
        self._words = _own_words()
        if self._callback in gc.callbacks:
            gc.callbacks.remove(self._callback)

    @property
    def collections_inside(self) -> int:
        return int(self._words[scoreboard.COLLECTIONS_INSIDE])

    def _callback(self, phase: str, info: dict[str, Any]) -> None:
        if self._own:
            return
        if phase == "start":
            self._started_ns = time.perf_counter_ns()
            if self.on_start is not None:
                self.on_start(info["generation"])
        elif self._started_ns:
            self._words[scoreboard.COLLECTIONS_INSIDE] += 1
            self._words[scoreboard.COLLECTIONS_INSIDE_NS] += (
                time.perf_counter_ns() - self._started_ns
            )
            self._started_ns = 0


_WATCH = CollectionWatch()


def collection_watch() -> CollectionWatch:
    """Returns this process's only watch."""
    return _WATCH


def watch_collections(settings: CollectorSettings | None) -> None:
    """Start to count this worker's collections."""
    _WATCH.install(None if settings is None else settings.slot)
