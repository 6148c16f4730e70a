"""What molds and workers say: judged by message_rules.py, noted, and relayed to the supervisor.

A message that can't be taken is dropped and told of. A process that sends several such messages is
not listened to any more.
"""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING, cast

from cowherd_agent.keeper.herd_members import Mold, Worker
from cowherd_agent.keeper.herd_processes import HerdProcesses
from cowherd_agent.keeper.reason import reason_of
from cowherd_agent.keeper.supervisor_connection import SupervisorConnection
from cowherd_agent.wire import message_rules, packets, scoreboard
from cowherd_agent.wire.allowance import Allowance
from cowherd_agent.wire.message_rules import BadMessage
from cowherd_agent.wire.messages import Message
from cowherd_agent.wire.packets import Packet

if TYPE_CHECKING:
    from cowherd_agent.wire.message_types import (
        KeeperFromMold,
        KeeperFromWorker,
        KeeperWorkerForked,
        MoldMessage,
        WorkerMessage,
    )

_MOST_BAD_MESSAGES = 8


class Hearing:
    def __init__(self, processes: HerdProcesses, supervisor: SupervisorConnection) -> None:
        self._processes = processes
        self._supervisor = supervisor

    def read_all_molds(self) -> None:
        """Takes all that molds have said so far."""
        for descriptor in list(self._processes.molds):
            while self.read_mold(descriptor):
                pass

    def read_all_of(self, worker: Worker) -> None:
        while self.read_worker(worker):
            pass

    def read_mold(self, descriptor: int) -> bool:
        """Takes one message of a mold. False when there is none."""
        mold = self._processes.molds.get(descriptor)
        packet = None if mold is None else packets.receive(mold.connection)
        if mold is None or packet is None:
            return False
        if not packet.data:
            self._processes.forget_mold(mold)
            packet.close()
            return False
        try:
            self._hear_mold(mold, packet)
        except Exception as error:
            packet.close()
            mold.bad_messages += 1
            self._tell_bad(mold.pid, mold.generation, error)
            if mold.bad_messages >= _MOST_BAD_MESSAGES:
                # The mold ends when it sees that its socket is closed.
                self._processes.forget_mold(mold)
        return True

    def read_worker(self, worker: Worker) -> bool:
        """Takes one message of a worker. False when there is none."""
        packet = None if worker.connection is None else packets.receive(worker.connection)
        if packet is None:
            return False
        packet.close()
        if not packet.data:
            self._processes.stop_listening_to(worker)
            return False
        try:
            if not worker.allowance.takes(len(packet.data), time.monotonic()):
                raise BadMessage("more than a worker may say in this time")
            self._hear_worker(worker, packet)
        except Exception as error:
            worker.bad_messages += 1
            self._tell_bad(worker.pid, worker.generation, error)
            if worker.bad_messages >= _MOST_BAD_MESSAGES:
                self._processes.stop_listening_to(worker)
        return True

    def _hear_mold(self, mold: Mold, packet: Packet) -> None:
        """Raises BadMessage, or OSError for what came with it."""
        message = _message(packet)
        kind = message["type"]
        was_worker = mold.inherited is not None
        message_rules.of_mold(message, mold.stage, was_worker=was_worker, forking=mold.forking)
        if kind == "forked":
            self._take_worker(mold, message, packet)
            return
        packet.close()
        # Only what the keeper acts on is checked here; the supervisor checks all of it.
        said = cast("MoldMessage", message)
        if said["type"] == "configured" and mold.inherited is not None:
            said = mold.inherited
        relayed: KeeperFromMold = {
            "type": "from_mold",
            "generation": mold.generation,
            "message": said,
        }
        self._supervisor.relay(relayed, kind, len(packet.data))
        stage = message_rules.stage_after(kind, mold.stage)
        if stage is not mold.stage:
            mold.reach(stage)
        if said["type"] == "configured":
            mold.configured = said
        elif said["type"] == "mold_ready":
            mold.ready = said
        elif said["type"] == "fork_failed":
            mold.forking.discard(said["slot"])

    def _take_worker(self, mold: Mold, message: Message, packet: Packet) -> None:
        """A new worker: its channel and its row of the scoreboard come with the message.

        The worker's first words lie in the channel, with the kernel's word on who sent them.
        """
        if len(packet.descriptors) != 2:
            raise BadMessage(f"forked with {len(packet.descriptors)} descriptors")
        channel, row = packet.descriptors
        if not scoreboard.is_sound(row):
            raise BadMessage("forked with a scoreboard that is no sealed file in memory")
        connection = socket.socket(fileno=os.dup(channel))
        first = packets.receive(connection)
        if first is not None:
            first.close()
        pid: int = message["pid"]
        is_known = pid in self._processes.children()
        if first is None or first.sender_pid != pid or pid <= 1 or is_known:
            connection.close()
            sender = 0 if first is None else first.sender_pid
            raise BadMessage(f"forked of process {pid}, whose channel is that of {sender}")
        packet.take()
        os.close(channel)
        mold.forking.discard(message["slot"])
        worker = Worker(
            pid,
            message["slot"],
            mold,
            message["forked_monotonic_ns"],
            connection,
            row,
            Allowance(time.monotonic()),
        )
        self._processes.add_worker(worker, connection)
        relayed: KeeperWorkerForked = {
            "type": "worker_forked",
            "generation": mold.generation,
            "slot": worker.slot,
            "pid": pid,
            "forked_monotonic_ns": worker.forked_monotonic_ns,
            "scoreboard": row,
        }
        self._supervisor.relay(relayed, "forked", 0)

    def _hear_worker(self, worker: Worker, packet: Packet) -> None:
        """Raises BadMessage."""
        message = _message(packet)
        message_rules.of_worker(message)
        kind = message["type"]
        if kind == "retired" and worker.configured is None:
            # It would be a mold with no settings but its own.
            raise BadMessage("retired, and its mold has said no settings")
        relayed: KeeperFromWorker = {
            "type": "from_worker",
            "generation": worker.generation,
            "pid": worker.pid,
            "message": cast("WorkerMessage", message),
        }
        self._supervisor.relay(relayed, kind, len(packet.data))
        if kind == "retired":
            self._processes.make_mold(worker)
            if not self._supervisor.is_open:
                self._processes.end_unordered()

    def _tell_bad(self, pid: int, generation: int, error: Exception) -> None:
        self._supervisor.send(
            {
                "type": "bad_message",
                "pid": pid or None,
                "generation": generation,
                "reason": reason_of(error),
            }
        )


def _message(packet: Packet) -> Message:
    """Raises BadMessage."""
    if packet.is_cut:
        raise BadMessage("a packet larger than any message")
    return message_rules.read(packet.data)
