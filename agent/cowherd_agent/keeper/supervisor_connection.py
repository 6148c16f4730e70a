"""The keeper's connection to its supervisor, and what the next supervisor has to hear.

One JSON object a line, in both directions. Without a supervisor nothing is sent. What no supervisor
has heard is kept, within bounds, for the supervisor that adopts the herd.
"""

from __future__ import annotations

import json
import select
import socket
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from cowherd_agent.wire import message_rules

if TYPE_CHECKING:
    from typing import TypeAlias

    from cowherd_agent.wire.message_types import (
        KeeperFromMold,
        KeeperFromWorker,
        KeeperInventory,
        KeeperMessage,
        KeeperProcessExited,
        KeeperWorkerForked,
    )

    Relayed: TypeAlias = KeeperFromMold | KeeperFromWorker | KeeperWorkerForked

# How the latest processes ended, and what molds and workers said that no supervisor heard.
_MOST_ENDINGS = 256
_MOST_UNHEARD = 64
_MOST_UNHEARD_BYTES = 128 * 1024

# Kinds that an inventory tells in another way, or that are of no use later.
_NOT_KEPT = frozenset({"forked", "configured", "mold_ready", "worker_ready", "retired", "progress"})

# A supervisor that reads nothing: messages of workers beyond this are dropped.
_MOST_OUTGOING_BYTES = 4 * 1024 * 1024


class SupervisorConnection:
    """``on_loss`` is called once for each supervisor that is lost, after the connection is closed.

    Attributes:
        endings: how the latest processes ended, oldest first, heard or not.
        unheard: what molds and workers said while there was no supervisor.
    """

    def __init__(
        self, connection: socket.socket, poll: select.poll, on_loss: Callable[[], None]
    ) -> None:
        self._connection: socket.socket | None = connection
        self._poll = poll
        self._on_loss = on_loss
        self._incoming = b""
        self._outgoing = bytearray()
        self._unheard_bytes = 0
        self.endings: deque[KeeperProcessExited] = deque(maxlen=_MOST_ENDINGS)
        self.unheard: deque[Relayed] = deque(maxlen=_MOST_UNHEARD)

    @property
    def is_open(self) -> bool:
        """Whether there is a supervisor."""
        return self._connection is not None

    def begin(self) -> None:
        """Listens to the supervisor that has started this keeper."""
        assert self._connection is not None
        self._connection.setblocking(False)
        self._poll.register(self._connection, select.POLLIN)

    def adopt(self, connection: socket.socket, inventory: KeeperInventory) -> None:
        """Takes another supervisor, whose connection is registered already, and tells it all."""
        self._connection = connection
        self.send(inventory)
        self.unheard.clear()
        self._unheard_bytes = 0

    def is_at(self, descriptor: int) -> bool:
        return self._connection is not None and self._connection.fileno() == descriptor

    def send(self, message: KeeperMessage) -> None:
        """Nothing without a supervisor."""
        if self._connection is not None:
            self._outgoing += json.dumps(message).encode() + b"\n"
            self.flush()

    def relay(self, relayed: Relayed, kind: str, size_bytes: int) -> None:
        """Passes a message of a mold or a worker on, or keeps it for the next supervisor.

        ``kind`` and ``size_bytes`` are those of the message inside. Raises BadMessage for what JSON
        can't express.
        """
        line = message_rules.write(dict(relayed))
        if self._connection is None:
            self._keep(relayed, kind, size_bytes)
        elif relayed["type"] != "from_worker" or len(self._outgoing) < _MOST_OUTGOING_BYTES:
            self._outgoing += line
            self.flush()

    def ended(self, ending: KeeperProcessExited) -> None:
        """Tells, and remembers, how a process ended."""
        self.endings.append(ending)
        self.send(ending)

    def flush(self) -> None:
        """Sends what the socket takes now."""
        if self._connection is None:
            return
        try:
            while self._outgoing:
                sent = self._connection.send(self._outgoing)
                del self._outgoing[:sent]
        except BlockingIOError:
            self._poll.modify(self._connection, select.POLLIN | select.POLLOUT)
            return
        except OSError:
            self._lose()
            return
        self._poll.modify(self._connection, select.POLLIN)

    def read(self) -> list[bytes]:
        """The lines that have come; none when the supervisor is lost."""
        if self._connection is None:
            return []
        try:
            data = self._connection.recv(65536)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self._lose()
            return []
        *lines, self._incoming = (self._incoming + data).split(b"\n")
        return lines

    def _lose(self) -> None:
        if self._connection is None:
            return
        self._poll.unregister(self._connection)
        self._connection.close()
        self._connection = None
        self._incoming = b""
        self._outgoing.clear()
        self._on_loss()

    def _keep(self, relayed: Relayed, kind: str, size_bytes: int) -> None:
        fits = self._unheard_bytes + size_bytes <= _MOST_UNHEARD_BYTES
        if fits and kind not in _NOT_KEPT:
            self._unheard_bytes += size_bytes
            self.unheard.append(relayed)
