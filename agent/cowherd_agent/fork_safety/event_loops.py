"""Event loops: a fork shares the loop's epoll instance, so what one process registers wakes another
(epoll(7), "Questions and answers"). A worker's loop is closed when the worker becomes a mold, and
objects that belong to it are useless in the next workers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cowherd_agent.fork_safety.descriptors import Descriptor
from cowherd_agent.fork_safety.finding import Finding
from cowherd_agent.fork_safety.heap_search import HeapSearch, kind_name
from cowherd_agent.fork_safety.loaded_classes import loaded_classes

_LOOPS = (("asyncio.base_events", "BaseEventLoop"), ("uvloop", "Loop"))

_BOUND = (("aiohttp.client", "ClientSession"), ("asyncpg.pool", "Pool"))
"""Clients that belong to the loop in which they were made; they have `_loop` and `closed` or
`_closed` (aiohttp/client.py, asyncpg/pool.py)."""


def classes(opened: Sequence[Descriptor]) -> list[type]:
    """Loop classes that may have instances: each loop has an epoll instance. gevent's hub has one
    too, but its worker makes a new one after the fork."""
    if not any(each.is_epoll for each in opened):
        return []
    return loaded_classes(_LOOPS)


def bound_classes() -> list[type]:
    """Classes of clients that belong to a loop."""
    return loaded_classes(_BOUND)


def find(kinds: Sequence[type], heap: HeapSearch) -> list[Finding]:
    return [
        Finding(
            "event loop",
            f"{kind_name(type(loop))} that is not closed",
            "close it in the before_mold hook; a worker makes its own"
            " (make it in a function, not at import)",
        )
        for loop in heap.instances_of(kinds)
        if not loop.is_closed()
    ]


def find_bound(heap: HeapSearch) -> list[Finding]:
    """Clients that are not closed, though their loop is."""
    bound = [each for each in heap.instances_of(bound_classes()) if _is_stranded(each)]
    holders = heap.holders_of(bound)
    return [
        Finding(
            "event loop",
            f"{kind_name(type(each))} of an event loop that is closed"
            + (f", {holder.words}" if (holder := holders.get(id(each))) and holder.place else ""),
            "make it in the lifespan's startup, and close it in its shutdown: each worker then"
            " makes its own",
        )
        for each in bound
    ]


def _is_stranded(client: Any) -> bool:
    loop = getattr(client, "_loop", None)
    is_closed = getattr(client, "closed", False) is True or getattr(client, "_closed", False)
    return loop is not None and loop.is_closed() and not is_closed
