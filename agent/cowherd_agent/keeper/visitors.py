"""Answers at the adoption socket: to supervisors, commands, and the keeper of another herd."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from cowherd_agent.keeper.herd_members import UNORDERED
from cowherd_agent.keeper.herd_processes import HerdProcesses
from cowherd_agent.keeper.listener_table import ListenerTable
from cowherd_agent.keeper.reason import reason_of
from cowherd_agent.keeper.succession import Succession
from cowherd_agent.keeper.supervisor_connection import SupervisorConnection
from cowherd_agent.wire.messages import PROTOCOL_VERSION, Message

if TYPE_CHECKING:
    from cowherd_agent.wire.message_types import KeeperInventory, KeeperLooked

# These stay as they are: any version can end the herd of any other, or take its place.
_OF_ANY_VERSION = frozenset({"look", "drain", "lend"})


class Visitors:
    """``begin_drain`` ends the herd; its argument says whether quickly."""

    def __init__(
        self,
        supervisor: SupervisorConnection,
        processes: HerdProcesses,
        listeners: ListenerTable,
        succession: Succession,
        is_draining: Callable[[], bool],
        begin_drain: Callable[[bool], None],
    ) -> None:
        self._supervisor = supervisor
        self._processes = processes
        self._listeners = listeners
        self._succession = succession
        self._is_draining = is_draining
        self._begin_drain = begin_drain

    def answer(self, descriptor: int) -> None:
        """Hears a visitor, or lets one in. What goes wrong ends only the visit."""
        try:
            for message in self._succession.adoption_socket.read(descriptor):
                if not self._answer(descriptor, message):
                    return
        except Exception as error:
            self._refuse(descriptor, "INTERNAL", reason_of(error))

    def _answer(self, descriptor: int, message: Message) -> bool:
        """Whether the visitor may say more."""
        kind = message["type"]
        if kind == "look":
            self._succession.adoption_socket.answer(descriptor, self._looked())
            return True
        refusal = self._refusal_of(kind, message.get("protocol"))
        if refusal is not None:
            self._refuse(descriptor, *refusal)
        elif kind == "drain":
            self._succession.adoption_socket.answer(descriptor, self._looked())
            self._begin_drain(message.get("quick") is True)
        elif kind == "lend":
            distrust = self._succession.lend(descriptor)
            if distrust is not None:
                self._refuse(descriptor, "RUNTIME_DIRECTORY_UNSAFE", distrust)
            return False
        elif kind == "adopt":
            connection = self._succession.adoption_socket.let_stay(descriptor)
            self._supervisor.adopt(connection, self._inventory())
            return False
        return True

    def _refusal_of(self, kind: str, protocol: object) -> tuple[str, str] | None:
        """The code and the detail, where this is not done now."""
        if kind not in _OF_ANY_VERSION and protocol != PROTOCOL_VERSION:
            return "PROTOCOL_MISMATCH", (
                f"the keeper (pid {os.getpid()}) speaks version {PROTOCOL_VERSION}, not"
                f" {str(protocol)[:20]}; `cowherd stop` ends its herd after the requests in flight"
            )
        if self._supervisor.is_open:
            return "RUNTIME_DIRECTORY_BUSY", "it has a supervisor"
        if kind == "drain":
            return None
        if self._is_draining():
            return "RUNTIME_DIRECTORY_BUSY", "its herd is being ended"
        if self._succession.loan is not None:
            return "RUNTIME_DIRECTORY_BUSY", "another herd is about to take its place"
        return None

    def _refuse(self, descriptor: int, code: str, detail: str) -> None:
        self._succession.adoption_socket.answer(
            descriptor, {"type": "refused", "code": code, "detail": detail}
        )

    def _looked(self) -> KeeperLooked:
        return {
            "type": "looked",
            "protocol": PROTOCOL_VERSION,
            "pid": os.getpid(),
            "supervised": self._supervisor.is_open,
            "draining": self._is_draining(),
            "lends": True,
            "molds": [mold.pid for mold in self._processes.molds.values() if mold.pid],
            "workers": list(self._processes.workers),
        }

    def _inventory(self) -> KeeperInventory:
        """All that there is, for the supervisor that adopts it."""
        return {
            "type": "inventory",
            "protocol": PROTOCOL_VERSION,
            "pid": os.getpid(),
            "executable": sys.executable,
            "python_version": ".".join(map(str, sys.version_info[:3])),
            "molds": [
                {
                    "generation": mold.generation,
                    "pid": mold.pid,
                    "configured": mold.configured,
                    "ready": mold.ready,
                    "has_listeners": mold.has_listeners,
                    "forking": sorted(mold.forking),
                }
                for mold in self._processes.molds.values()
                if mold.pid and mold.generation != UNORDERED
            ],
            "workers": [
                {
                    "pid": pid,
                    "slot": worker.slot,
                    "generation": worker.generation,
                    "forked_monotonic_ns": worker.forked_monotonic_ns,
                    "scoreboard": worker.scoreboard,
                }
                for pid, worker in self._processes.workers.items()
            ],
            "listeners": self._listeners.names(),
            "endings": list(self._supervisor.endings),
            "unheard": list(self._supervisor.unheard),
        }
