"""The scout that takes a census: a child of a serving mold, which does not wait for it.

The mold keeps forking workers. The scout has the lowest priority, is the first to be killed when
memory runs out, and ends with its mold or at its deadline.
"""

from __future__ import annotations

import contextlib
import os
import select
from typing import TYPE_CHECKING

from cowherd_agent.forked_child import Child, Tell
from cowherd_agent.keeper.background import LOWEST_PRIORITY_NICENESS
from cowherd_agent.worker import process_name

if TYPE_CHECKING:
    from cowherd_agent.wire.message_types import MoldCensusFailed, MoldCensusWritten

TIMEOUT_SECONDS = 300.0
"""A busy host leaves the scout little of the processor. Also in
src/supervisor/decisions/processes/census.ts."""

FILE_PREFIX = "census-"
"""Begins the name of a generation's file in the runtime directory, before its number; also in
keeper/adoption_socket.py and in src/supervisor/runtime-directory/runtime-directory.ts."""

_FIRST_TO_BE_KILLED = "1000"
"""proc_pid_oom_score_adj(5)."""


def _give_way() -> None:
    """Yields the processor, and memory when it runs out. Not by SCHED_IDLE: a killed process needs
    the processor to end, and on a busy host it would keep its memory for long."""
    os.setpriority(os.PRIO_PROCESS, 0, LOWEST_PRIORITY_NICENESS)
    with (
        contextlib.suppress(OSError),
        open("/proc/self/oom_score_adj", "w", encoding="ascii") as file,
    ):
        file.write(_FIRST_TO_BE_KILLED)


class CensusScout:
    """Takes a census of this process, as it is now, and writes it to `path`."""

    def __init__(self, path: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._path = path
        self._timeout_seconds = timeout_seconds
        self._child = Child(self._live, timeout_seconds)

    def wait_with(self, descriptor: int) -> MoldCensusWritten | MoldCensusFailed | None:
        """Waits until the descriptor can be read, or the scout has ended; returns the message for
        the supervisor in the second case."""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.register(self._child.fileno(), select.POLLIN)
        while (outcome := self._child.advance()) is None:
            ready = [each for each, _ in poll.poll(self._child.left_ms())]
            if descriptor in ready:
                return None
        reason = outcome.fault("scout", self._timeout_seconds)
        if reason:
            from cowherd_agent.census.census_file import remove_unfinished

            remove_unfinished(self._path)
            return {"type": "census_failed", "reason": reason}
        return {
            "type": "census_written",
            "objects": outcome.found["objects"],
            "seconds": outcome.seconds,
        }

    def let_go(self) -> None:
        """Call in a worker, which has inherited the descriptors."""
        self._child.let_go()

    def _live(self, tell: Tell) -> None:
        process_name.set_name("cowherd-scout")
        _give_way()
        tell(step="take the census")
        # Only here: workers would not share what the mold imports now.
        from cowherd_agent.census.census import write_census

        tell(objects=write_census(self._path).objects)
