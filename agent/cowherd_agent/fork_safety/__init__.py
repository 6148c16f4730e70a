"""Fork safety: what a process has that its forks would share, and must not.

`verdict` is asked before a mold forks. It first looks at what the kernel knows (open descriptors,
threads), which takes a millisecond. It searches the heap only for the Python objects behind those.
Threads are judged by what a forked child has of them. Nothing is changed. A look that fails is
reported and left out; it can't end the mold.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from cowherd_agent.fork_safety import (
    databases,
    event_loops,
    file_locks,
    library_states,
    locks,
    native_fates,
    native_threads,
    sockets,
    thread_fates,
    thread_look,
    threads,
)
from cowherd_agent.fork_safety.advisory import Advisory
from cowherd_agent.fork_safety.descriptors import Descriptor, open_descriptors, without
from cowherd_agent.fork_safety.finding import Finding
from cowherd_agent.fork_safety.heap_search import HeapSearch
from cowherd_agent.fork_safety.native_threads import NativeThread
from cowherd_agent.fork_safety.thread_fates import ThreadFate

__all__ = ["Advisory", "Finding", "Threads", "Verdict", "look_at_threads", "verdict"]


class Verdict(NamedTuple):
    """What was found, and how long the look took.

    Attributes:
        threads: the fate of each Python thread that runs in this process.
        breaks: what is known to go wrong in a worker, in words, one entry for each problem.
        failed: the looks and other steps that failed, in words; their findings are unknown.
    """

    findings: list[Finding]
    threads: list[ThreadFate]
    breaks: list[str]
    failed: list[str]
    seconds: float

    @property
    def threads_of_the_mold(self) -> int:
        """How many threads do something in this process that no worker does."""
        return sum(fate.stays_in_mold for fate in self.threads)

    def as_dict(self) -> dict[str, Any]:
        """For the mold's report: `report.fork_safety` of the status."""
        return {
            "seconds": self.seconds,
            "findings": [finding._asdict() for finding in self.findings],
            "threads": [fate.as_dict() for fate in self.threads],
        }


class Threads(NamedTuple):
    """The threads of this process besides the calling one, and their fate in workers.

    Attributes:
        fates: of Python's threads.
        native: the threads of C libraries that were missing in a child.
    """

    fates: list[ThreadFate]
    native: list[NativeThread]


def look_at_threads(advisory: Advisory, patience_seconds: float) -> Threads:
    """The fate of this process's threads in its workers. Forks a child to see, unless there are
    none.

    Waits for threads that workers would lack, at most `patience_seconds`: many are about to end.
    """
    if native_threads.count() == 1:
        return Threads([], [])
    running = advisory.attempt("the look for threads", threads.running) or []
    natives = advisory.attempt("the look for native threads", native_threads.native_threads) or []
    in_child = advisory.attempt("the look for threads that come back", thread_look.threads_in_child)
    fates = thread_fates.judge(running, in_child.of_python if in_child else [])
    lacking = {fate.thread.native_id for fate in fates if fate.fate in ("missing", "breaks")}
    deadline = time.monotonic() + patience_seconds
    while still := lacking & {thread.native_id for thread in threading.enumerate()}:
        if time.monotonic() >= deadline:
            break
        time.sleep(0.002)
    ended = lacking - still
    return Threads(
        [fate for fate in fates if fate.thread.native_id not in ended],
        native_fates.without_returned(natives, in_child.native if in_child else []),
    )


def verdict(own_descriptors: Collection[int], advisory: Advisory, found: Threads) -> Verdict:
    """Look at this process, which is about to fork workers.

    Args:
        own_descriptors: Cowherd's own, shared on purpose: the channel, the listeners.
        advisory: runs each look.
        found: this process's threads, which were looked at before.
    """
    started = time.perf_counter()
    looked_at = advisory.attempt(
        "the look at descriptors", lambda: without(open_descriptors(), own_descriptors)
    )
    opened = looked_at or []
    findings = [
        *thread_fates.find(found.fates),
        *native_fates.find(found.native),
        *(advisory.attempt("the look at libraries", library_states.find) or ()),
        *_find_in_heap(opened, advisory),
        *(advisory.attempt("the look for file locks", lambda: file_locks.find(opened)) or ()),
        *(advisory.attempt("the look for locks", locks.find) or ()),
    ]
    breaks = [finding.what for finding in findings if finding.is_known_to_break]
    return Verdict(findings, found.fates, breaks, advisory.failed, time.perf_counter() - started)


def _find_in_heap(opened: Sequence[Descriptor], advisory: Advisory) -> list[Finding]:
    def search() -> list[Finding]:
        connections = sockets.look(opened)
        loops = event_loops.classes(opened)
        bound = event_loops.bound_classes()
        has_databases = bool(databases.paths(opened))
        heap = HeapSearch(
            [
                *(sockets.classes() if connections else ()),
                *loops,
                *bound,
                *(databases.classes() if has_databases else ()),
            ]
        )
        return [
            *sockets.find(connections, heap),
            *event_loops.find(loops, heap),
            *event_loops.find_bound(heap),
            *(databases.find(opened, heap) if has_databases else ()),
        ]

    return advisory.attempt("the look for connections", search) or []
