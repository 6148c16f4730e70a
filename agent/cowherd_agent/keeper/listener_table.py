"""The listeners of all generations: each is kept for as long as one generation needs it."""

from __future__ import annotations

import json
import socket
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from cowherd_agent.keeper import inherited
from cowherd_agent.keeper.borrowing import Borrowed
from cowherd_agent.keeper.listen_queue import queue_of
from cowherd_agent.keeper.listeners import Listener, ListenError, listen_on, name_of
from cowherd_agent.keeper.reason import reason_of

if TYPE_CHECKING:
    from cowherd_agent.wire.command_types import ListenCommand
    from cowherd_agent.wire.message_types import (
        KeeperInventoryListeners,
        KeeperListenFailed,
        KeeperListening,
        KeeperPulseQueues,
    )
    from cowherd_agent.wire.settings_types import Address


class ListenerTable:
    """``inherited_sockets`` are those that the supervisor was started with, by their descriptor;
    they stay open, whoever listens on them.

    Attributes:
        borrowed: what another herd's keeper has lent, if anything.
    """

    def __init__(self, inherited_sockets: dict[int, socket.socket]) -> None:
        # By their address, as JSON; and which of them each generation has.
        self._listeners: dict[str, Listener] = {}
        self._addresses: dict[int, list[str]] = {}
        self._inherited = inherited_sockets
        self.borrowed: Borrowed | None = None

    def by_address(self) -> dict[str, Listener]:
        """Each listener, by its address as JSON."""
        return self._listeners

    def all(self) -> Collection[Listener]:
        return self._listeners.values()

    def of(self, generation: int) -> list[Listener]:
        """Those of this generation, in the order of its addresses."""
        return [self._listeners[key] for key in self._addresses.get(generation, ())]

    def names(self) -> list[KeeperInventoryListeners]:
        """For an inventory: what each generation listens on."""
        return [
            {"generation": generation, "names": [each.name for each in self.of(generation)]}
            for generation in self._addresses
        ]

    def queues(self) -> list[KeeperPulseQueues]:
        """How many connections wait on each listener, and how many may."""
        queues: list[KeeperPulseQueues] = []
        for listener in self._listeners.values():
            queue = queue_of(listener.socket)
            if queue is not None:
                queues.append(
                    {
                        "name": listener.name,
                        "waiting": queue.waiting,
                        "most": queue.most,
                        "descriptor": listener.socket.fileno(),
                    }
                )
        return queues

    def listen(self, command: ListenCommand) -> KeeperListening | KeeperListenFailed:
        """Opens one generation's listeners; one that is open at the same address is kept.

        Answers `listening`, or `listen_failed`, and then nothing has been opened.
        """
        generation = command["generation"]
        addresses = [json.dumps(address, sort_keys=True) for address in command["addresses"]]
        opened: dict[str, Listener] = {}
        try:
            for key, address in zip(addresses, command["addresses"], strict=True):
                if key not in self._listeners and key not in opened:
                    opened[key] = self._open(address, command)
        except ListenError as error:
            for listener in opened.values():
                listener.close()
            return {
                "type": "listen_failed",
                "generation": generation,
                "code": error.code,
                "address": error.address,
                "reason": error.reason,
            }
        self._listeners.update(opened)
        self._addresses[generation] = addresses
        names = [each.name for each in self.of(generation)]
        return {"type": "listening", "generation": generation, "listeners": names}

    def keep(self, generations: Collection[int]) -> None:
        """Closes the listeners that none of these generations has."""
        for generation in list(self._addresses):
            if generation not in generations:
                del self._addresses[generation]
        kept = {key for addresses in self._addresses.values() for key in addresses}
        for key in list(self._listeners):
            if key not in kept:
                self._listeners.pop(key).close()

    def turn_away(self, but: Iterable[str] = ()) -> None:
        """Refuses new connections, but at these addresses. Workers accept what is queued."""
        kept = set(but)
        for address, listener in self._listeners.items():
            if address not in kept:
                listener.turn_away()

    def disown(self) -> None:
        """Another keeper has them too, and removes their files from now on."""
        for listener in self._listeners.values():
            listener.is_ours = False

    def close(self) -> None:
        for listener in self._listeners.values():
            listener.close()

    def _open(self, address: Address, settings: ListenCommand) -> Listener:
        """Raises ListenError, whatever the settings say."""
        try:
            is_inherited = address["kind"] == "fd" and address["descriptor"] in self._inherited
            lent = None
            if self.borrowed is not None and not is_inherited:
                lent = self.borrowed.take(address)
            if lent is not None:
                return lent
            if address["kind"] == "fd":
                return inherited.listen_on(
                    self._inherited, address["descriptor"], settings["backlog"]
                )
            return listen_on(
                address,
                backlog=settings["backlog"],
                reuse_port=settings["reuse_port"],
                umask=settings["umask"],
                uid=settings["uid"],
                gid=settings["gid"],
            )
        except (OSError, OverflowError, ValueError, TypeError) as error:
            # A port of six digits, say: gunicorn's parser takes it.
            name = name_of(address)
            raise ListenError("ADDRESS_UNAVAILABLE", name, reason_of(error)) from error
