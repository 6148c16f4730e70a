"""Fork safety: what a process has that its forks would share, and must not.

`verdict` is asked before a mold forks. It looks at what the kernel knows first (open descriptors,
threads), which takes a millisecond; the heap is searched only for the Python objects of what was
found there. Nothing is changed.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from cowherd_agent.fork_safety import (
    databases,
    event_loops,
    file_locks,
    locks,
    sockets,
    threads,
)
from cowherd_agent.fork_safety.descriptors import open_descriptors
from cowherd_agent.fork_safety.finding import Finding
from cowherd_agent.fork_safety.heap_search import HeapSearch
from cowherd_agent.threads import RunningThread

__all__ = ["Finding", "Verdict", "verdict"]


class Verdict(NamedTuple):
    """What was found, and how long that took."""

    findings: list[Finding]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """For the mold's report: `report.fork_safety` of the status."""
        return {
            "seconds": self.seconds,
            "findings": [finding._asdict() for finding in self.findings],
        }


def verdict(own_descriptors: Collection[int], running_threads: Sequence[RunningThread]) -> Verdict:
    """Look at this process, which is about to fork workers.

    Args:
        own_descriptors: of Cowherd's own that are shared on purpose: the channel, the listeners.
        running_threads: the Python threads that run besides this one (cowherd_agent.threads).
    """
    started = time.perf_counter()
    opened = [each for each in open_descriptors() if each.number not in own_descriptors]
    connections = sockets.look(opened)
    loops = event_loops.classes(opened)
    heap = HeapSearch([*(sockets.classes() if connections else ()), *loops])
    findings = [
        *threads.find(running_threads),
        *sockets.find(connections, heap),
        *databases.find(opened),
        *event_loops.find(loops, heap),
        *file_locks.find(opened),
        *locks.find(),
    ]
    return Verdict(findings, time.perf_counter() - started)
