"""What the keeper knows of each mold and each worker: all that a later supervisor has to know."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from cowherd_agent.wire.allowance import Allowance
from cowherd_agent.wire.message_rules import Stage

if TYPE_CHECKING:
    from cowherd_agent.wire.message_types import MoldConfigured, MoldReady

# The generation of a mold that was here before its order: the first one, and a retired worker.
UNORDERED = 0

_SETTLED_NS = 10_000_000_000


class Mold:
    """A mold process, the keeper's end of its packet socket, and how far it is."""

    __slots__ = (
        "bad_messages",
        "configured",
        "connection",
        "forking",
        "generation",
        "has_listeners",
        "inherited",
        "pid",
        "ready",
        "stage",
    )

    def __init__(self, generation: int, pid: int, connection: socket.socket) -> None:
        self.generation = generation
        # 0 once it has ended.
        self.pid = pid
        self.connection = connection
        self.stage = Stage.UNORDERED
        # What it said last of these two kinds.
        self.configured: MoldConfigured | None = None
        self.ready: MoldReady | None = None
        # The `configured` of the mold that it was forked from, where it was a worker.
        self.inherited: MoldConfigured | None = None
        self.has_listeners = False
        # Slots for which a fork was asked and not yet answered.
        self.forking: set[int] = set()
        self.bad_messages = 0

    def reach(self, stage: Stage) -> None:
        """It has come so far. With a new start it has nothing of what it had before."""
        self.stage = stage
        if stage is not Stage.READY:
            self.ready = None
        if stage is Stage.CONFIGURED:
            self.has_listeners = False


class Worker:
    """A worker process.

    Attributes:
        connection: the keeper's end of its own packet socket; None when it has closed the other.
        scoreboard: the descriptor of its row, which is the keeper's to close.
        configured: what its mold said of the settings.
    """

    __slots__ = (
        "allowance",
        "bad_messages",
        "configured",
        "connection",
        "forked_monotonic_ns",
        "generation",
        "pid",
        "scoreboard",
        "slot",
    )

    def __init__(
        self,
        pid: int,
        slot: int,
        mold: Mold,
        forked_monotonic_ns: int,
        connection: socket.socket,
        scoreboard: int,
        allowance: Allowance,
    ) -> None:
        self.pid = pid
        self.slot = slot
        self.generation = mold.generation
        self.configured = mold.configured
        self.forked_monotonic_ns = forked_monotonic_ns
        self.connection: socket.socket | None = connection
        self.scoreboard = scoreboard
        self.allowance = allowance
        self.bad_messages = 0

    def is_settled(self, now_monotonic_ns: int) -> bool:
        """Whether it must be the keeper's child by now, if it is one at all: until a moment after
        its fork a process between it and its mold is its parent."""
        return now_monotonic_ns - self.forked_monotonic_ns > _SETTLED_NS
