"""The processes of a herd: which there are, signals to them, and how each ends.

A pid is signalled only where the kernel says that it is a child of this keeper that has not been
reaped, so nobody else can have it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cowherd_agent.keeper.herd_members import UNORDERED, Mold, Worker
from cowherd_agent.keeper.supervisor_connection import SupervisorConnection
from cowherd_agent.wire import scoreboard

if TYPE_CHECKING:
    from resource import struct_rusage

    from cowherd_agent.wire.command_types import MoldPauseThreadsCommand, MoldResumeThreadsCommand
    from cowherd_agent.wire.message_types import KeeperProcessExited, KeeperProcessExitedCounters
    from cowherd_agent.wire.messages import Order, ToMold


# How long a signal waits for a new worker to become a child of the keeper.
_ADOPTED_SECONDS = 0.1


class HerdProcesses:
    """The table of molds and workers. Sockets are registered with ``poll``.

    Attributes:
        molds: by the descriptor of their socket.
        talkers: workers that are listened to, by the descriptor of their socket.
        workers: by pid.
        unordered: the first mold, which was started before this keeper, until its order comes.
    """

    def __init__(self, poll: select.poll, supervisor: SupervisorConnection) -> None:
        self._poll = poll
        self._supervisor = supervisor
        self.molds: dict[int, Mold] = {}
        self.talkers: dict[int, Worker] = {}
        self.workers: dict[int, Worker] = {}
        self.unordered: Mold | None = None

    # The table

    def add_mold(self, pid: int, connection: socket.socket) -> Mold:
        """A mold without an order."""
        mold = Mold(UNORDERED, pid, connection)
        self.molds[connection.fileno()] = mold
        self._poll.register(connection, select.POLLIN)
        return mold

    def forget_mold(self, mold: Mold) -> None:
        """Nothing more is read from the mold."""
        self._poll.unregister(mold.connection)
        del self.molds[mold.connection.fileno()]
        mold.connection.close()

    def add_worker(self, worker: Worker, connection: socket.socket) -> None:
        self.workers[worker.pid] = worker
        self.talkers[connection.fileno()] = worker
        self._poll.register(connection, select.POLLIN)

    def stop_listening_to(self, worker: Worker) -> None:
        if worker.connection is not None:
            self._poll.unregister(worker.connection)
            del self.talkers[worker.connection.fileno()]
            worker.connection.close()
            worker.connection = None

    def forget_worker(self, worker: Worker) -> None:
        """The worker has ended, or has become a mold."""
        self.stop_listening_to(worker)
        os.close(worker.scoreboard)
        del self.workers[worker.pid]

    def make_mold(self, worker: Worker) -> None:
        """A retired worker speaks as a mold from now on, on the same socket."""
        connection = worker.connection
        assert connection is not None
        worker.connection = None
        del self.talkers[connection.fileno()]
        self._poll.unregister(connection)
        self.forget_worker(worker)
        self.add_mold(worker.pid, connection).inherited = worker.configured

    # What is told to molds

    def to_mold(
        self, generation: int, message: ToMold | Order, descriptors: Sequence[int] = ()
    ) -> None:
        for mold in self.molds.values():
            if mold.generation == generation:
                if message["type"] == "fork":
                    mold.forking.add(message["slot"])
                # The end of a mold is told by its process_exited.
                with contextlib.suppress(OSError):
                    socket.send_fds(
                        mold.connection, [json.dumps(message).encode()], list(descriptors)
                    )

    def to_molds_with_threads(
        self, message: MoldPauseThreadsCommand | MoldResumeThreadsCommand
    ) -> None:
        """As a supervisor says it at a reload."""
        for mold in self.molds.values():
            if mold.pid and mold.ready is not None and mold.ready.get("threads"):
                self.to_mold(mold.generation, message)

    def exit_molds(self) -> None:
        """Has every mold leave; the newest one calls on_exit."""
        newest = max((mold.generation for mold in self.molds.values() if mold.pid), default=0)
        for mold in self.molds.values():
            if mold.pid and mold.ready is not None:
                final = mold.generation == newest
                self.to_mold(mold.generation, {"type": "exit", "final": final})
            elif mold.pid:
                # A mold that loads reads no messages. It has no worker and no request.
                self.signal(mold.pid, signal.SIGKILL)

    def end_unordered(self) -> None:
        """Kills the molds that wait for an order: the supervisor that would give it is gone."""
        for mold in self.molds.values():
            if mold.generation == UNORDERED and mold.pid:
                self.signal(mold.pid, signal.SIGKILL)

    # Signals

    def children(self) -> list[int]:
        return [*self.workers, *(mold.pid for mold in self.molds.values() if mold.pid)]

    def may_have_workers(self) -> bool:
        """Whether there is a worker, or a fork on its way."""
        return bool(self.workers) or any(mold.forking and mold.pid for mold in self.molds.values())

    def signal(self, pid: int, number: int) -> None:
        """Signals a mold or a worker; any other pid may be anybody's."""
        worker = self.workers.get(pid)
        deadline = time.monotonic() + _ADOPTED_SECONDS
        while not (is_child := self.is_child(pid)) and time.monotonic() < deadline:
            # A worker is announced a moment before the process between it and its mold has ended.
            if worker is None or worker.is_settled(time.monotonic_ns()):
                break
            time.sleep(0.001)
        if is_child:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            return
        self._supervisor.send({"type": "signal_failed", "pid": pid, "signal": int(number)})
        if worker is not None and worker.is_settled(time.monotonic_ns()):
            # Never a child of this keeper: nobody else will tell of its end.
            self.forget_worker(worker)
            self._tell_ended(pid, None, None)

    def is_child(self, pid: int) -> bool:
        """Whether it is a mold or a worker, and by the kernel's word a child that has not been
        reaped: nobody else can have its pid until then."""
        if pid <= 1 or pid not in self.children():
            return False
        try:
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        return True

    # Ends

    def reap(self, hear_all: Callable[[], None], hear: Callable[[Worker], None]) -> None:
        """Tells of every process that has ended.

        ``hear_all`` takes all that molds have said, ``hear`` all that a worker has: what a process
        said, and that it was forked at all, is told before its end.
        """
        if self.unordered is not None:
            # The supervisor does not know of it yet.
            return
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            hear_all()
            worker = self.workers.get(pid)
            counters = None
            if worker is not None:
                hear(worker)
                counters = self._counters_of(worker)
            for mold in self.molds.values():
                if mold.pid == pid:
                    mold.pid = 0
            self._tell_ended(pid, (status, usage), counters)

    def _tell_ended(
        self,
        pid: int,
        ended: tuple[int, struct_rusage] | None,
        counters: KeeperProcessExitedCounters | None,
    ) -> None:
        """``ended`` is what wait4(2) says; None of a process that was nobody's to wait for."""
        status, usage = (None, None) if ended is None else ended
        ending: KeeperProcessExited = {
            "type": "process_exited",
            "pid": pid,
            "exit_status": None,
            "signal": None,
            "minor_faults": 0 if usage is None else usage.ru_minflt,
            "major_faults": 0 if usage is None else usage.ru_majflt,
            "cpu_seconds": 0.0 if usage is None else usage.ru_utime + usage.ru_stime,
            "counters": counters,
        }
        if status is not None and os.WIFEXITED(status):
            ending["exit_status"] = os.WEXITSTATUS(status)
        if status is not None and os.WIFSIGNALED(status):
            ending["signal"] = os.WTERMSIG(status)
        self._supervisor.ended(ending)

    def _counters_of(self, worker: Worker) -> KeeperProcessExitedCounters | None:
        """The last counters of a worker that has ended; None for one that has retired meanwhile."""
        if worker.pid not in self.workers:
            return None
        counters = scoreboard.read_counters(worker.scoreboard)
        self.forget_worker(worker)
        return {
            "requests_started": counters.requests_started,
            "requests_finished": counters.requests_finished,
            "response_errors": counters.response_errors,
            "row": list(counters.words),
        }


def has_children() -> bool:
    """Whether the kernel knows of any child, ended or not."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
