"""How a mold makes workers, and what it keeps of them, as gunicorn's arbiter does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from cowherd_agent.mold.worker_fork import WorkerFork
from cowherd_agent.wire.scoreboard import Slot
from cowherd_agent.worker import perf_names
from cowherd_agent.worker.worker_start import WorkerStart

if TYPE_CHECKING:
    from cowherd_agent.mold.arbiter import MoldArbiter
    from cowherd_agent.mold.herd_heap import HerdHeap
    from cowherd_agent.mold.supervisor_link import SupervisorLink


class Forking:
    """The workers of one mold."""

    def __init__(
        self, link: SupervisorLink, arbiter: MoldArbiter, heap: HerdHeap, keeper_pid: int
    ) -> None:
        self._link = link
        self._arbiter = arbiter
        self._heap = heap
        self._keeper_pid = keeper_pid

    def fork(self, slot_number: int, generation: int) -> WorkerStart | None:
        """Forks a worker; returns only in the worker, or None."""
        arbiter = self._arbiter
        worker = None
        try:
            worker = arbiter.spawn(self._keeper_pid)
            fork = WorkerFork.prepare()
            forked_monotonic_ns = time.monotonic_ns()
            pid = fork.run()
        except Exception as error:
            # An error of the system (no process, no descriptor left), or of the app's pre_fork
            # hook.
            arbiter.log.exception("Exception while a worker was forked")
            if worker is not None:
                worker.tmp.close()
            reason = f"{type(error).__name__}: {error}"
            self._link.send({"type": "fork_failed", "slot": slot_number, "reason": reason})
            return None
        if pid == 0:
            slot = Slot.map(slot_number, fork.row)
            return self._become_worker(worker, slot, generation, fork, forked_monotonic_ns)
        worker.pid = pid
        arbiter.WORKERS[pid] = worker
        self._link.channel.send(
            {
                "type": "forked",
                "slot": slot_number,
                "pid": pid,
                "age": worker.age,
                "forked_monotonic_ns": forked_monotonic_ns,
            },
            fork.for_the_keeper,
        )
        fork.finish()
        return None

    def _become_worker(
        self, worker: Any, slot: Slot, generation: int, fork: WorkerFork, forked_monotonic_ns: int
    ) -> WorkerStart:
        """In the worker: closes what belongs to the mold, first of all its channel."""
        self._link.channel.close()
        self._link.channel = fork.channel
        for sibling in self._arbiter.WORKERS.values():
            sibling.tmp.close()
        return WorkerStart(
            worker=worker,
            arbiter=self._arbiter,
            keeper_pid=self._keeper_pid,
            generation=generation,
            slot=slot,
            row_descriptor=fork.row,
            forked_monotonic_ns=forked_monotonic_ns,
            channel=fork.channel,
            apply_policy=self._heap.applier(fork.channel),
            leaves_without_finalization=self._heap.leaves_without_finalization,
        )

    def forget(self, pid: int) -> Any | None:
        """A worker no longer belongs to this mold; returns gunicorn's object of it."""
        worker = self._arbiter.WORKERS.pop(pid, None)
        if worker is not None:
            worker.tmp.close()
        return worker

    def ended(self, pid: int) -> Any | None:
        """A worker has ended."""
        worker = self.forget(pid)
        if worker is not None and self._arbiter.cfg.perf_names:
            perf_names.forget(pid)
        return worker
