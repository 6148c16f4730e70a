"""Event loops: a fork shares the loop's epoll instance, so that what one process registers wakes
another (epoll(7), "Questions and answers")."""

from __future__ import annotations

from collections.abc import Sequence

from cowherd_agent.fork_safety.descriptors import Descriptor
from cowherd_agent.fork_safety.finding import Finding
from cowherd_agent.fork_safety.heap_search import HeapSearch
from cowherd_agent.fork_safety.loaded_classes import loaded_classes

_LOOPS = (("asyncio.base_events", "BaseEventLoop"), ("uvloop", "Loop"))


def classes(opened: Sequence[Descriptor]) -> list[type]:
    """Of which there may be loops: each has an epoll instance. gevent's hub has one too, which its
    worker makes anew after the fork."""
    if not any(each.is_epoll for each in opened):
        return []
    return loaded_classes(_LOOPS)


def find(kinds: Sequence[type], heap: HeapSearch) -> list[Finding]:
    return [
        Finding(
            "event loop",
            f"{type(loop).__module__}.{type(loop).__qualname__} that is not closed",
            "close it in the before_mold hook; a worker makes its own"
            " (make it in a function, not at import)",
        )
        for loop in heap.instances_of(kinds)
        if not loop.is_closed()
    ]
