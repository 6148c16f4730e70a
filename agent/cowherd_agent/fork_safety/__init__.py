"""Fork safety: what a process has that its forks would share, and must not.

`verdict` is asked before a mold forks. It looks at what the kernel knows first (open descriptors,
threads), which takes a millisecond; the heap is searched only for the Python objects of what was
found there. Threads are judged by what a child that is forked has of them. Nothing is changed, and
a look that fails is told of and left out: it can't end the mold.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from cowherd_agent import threads
from cowherd_agent.fork_safety import (
    databases,
    event_loops,
    file_locks,
    library_states,
    locks,
    native_fates,
    sockets,
    thread_fates,
    thread_look,
)
from cowherd_agent.fork_safety.advisory import Advisory
from cowherd_agent.fork_safety.descriptors import Descriptor, open_descriptors, without
from cowherd_agent.fork_safety.finding import Finding
from cowherd_agent.fork_safety.heap_search import HeapSearch
from cowherd_agent.fork_safety.thread_fates import ThreadFate
from cowherd_agent.native_threads import native_threads

__all__ = ["Advisory", "Finding", "ThreadFate", "Verdict", "fates_of_threads", "verdict"]


class Verdict(NamedTuple):
    """What was found, and how long that took.

    Attributes:
        threads: the fate of each Python thread that runs in this process.
        breaks: what is known to go wrong in a worker, in words, for each thing that does.
    """

    findings: list[Finding]
    threads: list[ThreadFate]
    breaks: list[str]
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


def fates_of_threads(advisory: Advisory, patience_seconds: float) -> list[ThreadFate]:
    """What becomes of this process's threads in its workers; a child is forked to see.

    Threads that workers would lack are waited for, so long at the most: many are about to end.
    """
    running = advisory.attempt("the look for threads", threads.running) or []
    in_child = advisory.attempt(
        "the look for threads that come back", lambda: thread_look.threads_in_child(running)
    )
    fates = thread_fates.judge(running, in_child)
    lacking = {fate.thread.native_id for fate in fates if fate.fate in ("missing", "breaks")}
    deadline = time.monotonic() + patience_seconds
    while still := lacking & {thread.native_id for thread in threading.enumerate()}:
        if time.monotonic() >= deadline:
            break
        time.sleep(0.002)
    return [
        fate
        for fate in fates
        if fate.thread.native_id not in lacking or fate.thread.native_id in still
    ]


def verdict(
    own_descriptors: Collection[int], advisory: Advisory, fates: Sequence[ThreadFate]
) -> Verdict:
    """Look at this process, which is about to fork workers.

    Args:
        own_descriptors: of Cowherd's own that are shared on purpose: the channel, the listeners.
        advisory: runs each look.
        fates: of this process's threads, which were looked at before.
    """
    started = time.perf_counter()
    natives = advisory.attempt("the look for native threads", native_threads) or []
    looked_at = advisory.attempt(
        "the look at descriptors", lambda: without(open_descriptors(), own_descriptors)
    )
    opened = looked_at or []
    findings = [
        *thread_fates.find(fates),
        *native_fates.find(natives),
        *(advisory.attempt("the look at libraries", library_states.find) or ()),
        *_find_in_heap(opened, advisory),
        *(advisory.attempt("the look for databases", lambda: databases.find(opened)) or ()),
        *(advisory.attempt("the look for file locks", lambda: file_locks.find(opened)) or ()),
        *(advisory.attempt("the look for locks", locks.find) or ()),
    ]
    breaks = [finding.what for finding in findings if finding.is_known_to_break]
    return Verdict(findings, list(fates), breaks, time.perf_counter() - started)


def _find_in_heap(opened: Sequence[Descriptor], advisory: Advisory) -> list[Finding]:
    def search() -> list[Finding]:
        connections = sockets.look(opened)
        loops = event_loops.classes(opened)
        heap = HeapSearch([*(sockets.classes() if connections else ()), *loops])
        return [*sockets.find(connections, heap), *event_loops.find(loops, heap)]

    return advisory.attempt("the look for connections", search) or []
