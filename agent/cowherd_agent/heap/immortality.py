"""Makes every object that is reachable in this process's heap immortal.

An immortal object's reference count is never written (PEP 683), so a worker that reads it keeps
sharing its page. Marking writes the object's header before the fork, in the mold:

- 3.12, 3.13: the low 32 bits of `ob_refcnt` become 0xFFFFFFFF. `Py_INCREF` leaves that unchanged
  because adding 1 would give 0, and `Py_DECREF` because bit 31 is set (Include/object.h).
- 3.14, 3.15: `ob_refcnt` is a 32-bit field. From 3 << 30 (0xC0000000,
  `_Py_IMMORTAL_INITIAL_REFCNT`) up, `Py_INCREF` leaves it unchanged (Include/refcount.h).
  References that were on the stack uncounted at the marking may still be taken off, so the mark is
  0xE0000000, which has room below it. Bit 0 of `ob_flags`, the 16-bit field at byte 6, is set too:
  the interpreter's stack references take their "do not count" tag from it
  (Include/internal/pycore_stackref.h). Without it every read of an object through the stack counts,
  and copies the page. The other flags stay.

The immortal mark also serves as the visited mark, so the walk needs no memory beyond the list of
tracked objects, which is freed at the end. Objects that no traversal reaches stay mortal: those
held by C code only, and those in containers that do not take part in garbage collection.

Immortal objects are never freed: an object that a worker drops stays, and so do its referents.
"""

from __future__ import annotations

import ctypes
import gc
import operator
import sys
import weakref
from collections.abc import Callable, Collection, Iterable
from functools import partial
from itertools import compress, filterfalse

from cowherd_agent.heap import hashes
from cowherd_agent.heap.report import Progress, StepReport, Throttle
from cowherd_agent.interpreter import rawgc
from cowherd_agent.interpreter.addresses import byte_view
from cowherd_agent.interpreter.errors import PolicyUnavailable
from cowherd_agent.interpreter.hidden_referents import HiddenReferents, of_all_types
from cowherd_agent.interpreter.interpreter import identify, why_not
from cowherd_agent.interpreter.rollup import anonymous_bytes

HAS_FLAGS = sys.version_info >= (3, 14)
"""Whether the header has an `ob_flags` field (GIL builds of 3.14 and 3.15)."""

IMMORTAL_COUNT = 0xE0000000 if HAS_FLAGS else 0xFFFFFFFF

_FLAGS_OFFSET = 6
_IMMORTAL_FLAG = 1
_TOP_OFFSET = 3
_MARKED_FROM = 0xD0
"""The mark, seen through byte 3 of the count: no other count has so high a top byte. A tracked
object that is immortal already on 3.14+ may stand at 0xC0, from where a stack reference can pull it
down, so it is marked again."""

CHUNK_OBJECTS = 2000

Marker = Callable[[Iterable[object], list[object]], None]
"""Marks the unmarked objects of the first argument, and appends them to the second."""


def make_marker(count: int = IMMORTAL_COUNT, with_flag: bool = HAS_FLAGS) -> Marker:
    """The marking loop for this interpreter. The parameters let a test show that the self-test
    finds a wrong mark."""
    memory = byte_view()
    words = memory.cast("I")
    top = memory[_TOP_OFFSET:]
    flags = memory[_FLAGS_OFFSET:]

    def mark(objects: Iterable[object], marked: list[object]) -> None:
        append = marked.append
        for item in objects:
            address = id(item)
            if top[address] < _MARKED_FROM:
                words[address >> 2] = count
                append(item)

    def mark_with_flag(objects: Iterable[object], marked: list[object]) -> None:
        append = marked.append
        for item in objects:
            address = id(item)
            if top[address] < _MARKED_FROM:
                words[address >> 2] = count
                flags[address] |= _IMMORTAL_FLAG
                append(item)

    return mark_with_flag if with_flag else mark


def _mortal_only() -> Callable[[list[object]], Iterable[object]]:
    """Filters out immortal objects, faster than the marking loop where the interpreter helps
    (3.14+): most references of a large heap lead to the same few objects."""
    is_immortal = getattr(sys, "_is_immortal", None)
    if is_immortal is None:
        return lambda objects: objects
    return partial(filterfalse, is_immortal)


class _Probe:
    """The object that the self-test makes immortal; its few bytes are never freed."""

    __slots__ = ("__weakref__", "value")

    def __init__(self) -> None:
        self.value = "probe"


def _count_of(item: object) -> int:
    return ctypes.c_uint32.from_address(id(item)).value


def _counts_while_read(probe: _Probe) -> set[int]:
    """Reads the probe in all the ways that the interpreter has (stack, attribute, container, call),
    and returns the counts seen while those references are held."""
    counts = set()
    held = [probe] * 1000
    counts.add(_count_of(probe))
    for item in held:
        if item is not probe or item.value != "probe":
            raise AssertionError
    pair = (probe, probe)
    first, second = pair
    table = {"probe": first, "again": second}
    counts.add(_count_of(probe))
    for _ in range(100):
        _same(table["probe"])
        counts.add(_count_of(_same(probe)))
    held.clear()
    counts.add(_count_of(probe))
    return counts


def _same(probe: _Probe) -> _Probe:
    return probe


def self_test(marker: Marker | None = None) -> None:
    """Immortalize one throwaway object, and check that its reference count then stays.

    Raises PolicyUnavailable with the reason if it does not.
    """
    reason = why_not("immortal", identify())
    if reason is not None:
        raise PolicyUnavailable("immortal", reason)
    probe = _Probe()
    before = _count_of(probe)
    held = [probe] * 1000
    if _count_of(probe) - before != 1000 or not 0 <= sys.getrefcount(probe) - before - 1000 <= 2:
        raise PolicyUnavailable("immortal", "the reference count is not where it is expected")
    del held
    if _count_of(probe) != before:
        raise PolicyUnavailable("immortal", "the reference count is not where it is expected")

    flags = ctypes.c_uint16.from_address(id(probe) + _FLAGS_OFFSET).value
    marked: list[object] = []
    (marker or make_marker())([probe], marked)
    if len(marked) != 1:
        raise PolicyUnavailable("immortal", "a fresh object looked immortal already")
    marked.clear()
    settled = _count_of(probe)
    for _ in range(20):
        if _counts_while_read(probe) != {settled}:
            raise PolicyUnavailable("immortal", "reading an immortal object changed its count")
    if _count_of(probe) != settled:
        raise PolicyUnavailable("immortal", "reading an immortal object changed its count")
    if HAS_FLAGS:
        now = ctypes.c_uint16.from_address(id(probe) + _FLAGS_OFFSET).value
        if now != flags | _IMMORTAL_FLAG:
            raise PolicyUnavailable("immortal", "the immortal flag could not be set")
    is_immortal = getattr(sys, "_is_immortal", None)
    if is_immortal is not None and not is_immortal(probe):
        raise PolicyUnavailable("immortal", "the interpreter does not see the mark")
    watcher = weakref.ref(probe)
    del probe
    if watcher() is None:
        raise PolicyUnavailable("immortal", "an immortal object was freed")


class _KnownDicts:
    """Dicts that an earlier walk has marked and that the collector does not track, such as dicts of
    strings or numbers (up to 3.13; Objects/dictobject.c, MAINTAIN_TRACKING). Neither the list of
    tracked objects nor the mark leads to their present contents."""

    def __init__(self) -> None:
        self._met: set[int] = set()
        self._top = byte_view()[_TOP_OFFSET:]

    def among(self, objects: Collection[object]) -> list[object]:
        """The known dicts that were not met before. Call it before the others are marked."""
        met, top = self._met, self._top
        dicts = compress(objects, map(_IS_DICT, map(type, objects)))
        found = [
            item
            for item in filterfalse(gc.is_tracked, dicts)
            if id(item) not in met and top[id(item)] >= _MARKED_FROM
        ]
        met.update(map(id, found))
        return found


# By identity: a metaclass may define its own comparison.
_IS_DICT = partial(operator.is_, dict)


def immortalize(progress: Progress | None = None) -> StepReport:
    """Make every reachable object immortal, and compute the hashes that strings and the like keep.

    Call it in a process with one thread, with automatic collection off, before gc.freeze():
    gc.get_objects() leaves frozen objects out. Objects that were frozen before are unfrozen and
    read again: an object of an earlier walk may now hold new ones that the collector does not track
    (a dict that has been filled with strings). About 0.5 µs per object.

    The counts of the report: `objects` made immortal, `tracked` objects that the collector saw,
    `hashes` computed.
    """
    anonymous_before = anonymous_bytes()
    mark = make_marker()
    again = gc.get_freeze_count() > 0
    rawgc.unfreeze()
    tracked = rawgc.get_objects()
    # Made after the list, so that its own objects are not immortalized.
    known = _KnownDicts() if again else None
    throttle = Throttle(progress, "immortalize")
    objects = 0
    # All tracked objects first: objects marked later are then untracked, and traversed once.
    for start in range(0, len(tracked), CHUNK_OBJECTS):
        marked: list[object] = []
        mark(tracked[start : start + CHUNK_OBJECTS], marked)
        objects += len(marked)
        throttle.at(objects)
    computed = 0
    get_referents = gc.get_referents
    mortal_only = _mortal_only()
    hash_all = hashes.Hasher().compute
    extra_of = HiddenReferents().of
    extra = of_all_types()
    for start in range(0, len(tracked), CHUNK_OBJECTS):
        frontier = tracked[start : start + CHUNK_OBJECTS]
        while frontier:
            extra += extra_of(frontier)
            computed += hash_all(frontier)
            marked = []
            referents = get_referents(*frontier)
            met_again = known.among(referents) if known else []
            mark(mortal_only(referents), marked)
            mark(mortal_only(extra), marked)
            objects += len(marked)
            frontier = marked + met_again
            del referents
            extra = []
        throttle.at(objects)
    seconds = throttle.end(objects)
    count = len(tracked)
    del tracked, frontier, marked
    return StepReport(
        name="immortalize",
        seconds=seconds,
        price_bytes=anonymous_bytes() - anonymous_before,
        counts={"objects": objects, "tracked": count, "hashes": computed},
    )
