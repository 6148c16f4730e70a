"""What a mold passes to the worker that it forks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cowherd_agent.wire.channel import Channel
    from cowherd_agent.wire.scoreboard import Slot


@dataclass
class WorkerStart:
    """Everything a forked worker needs, as the mold had it at the fork.

    ``slot`` is its row of the scoreboard, ``row_descriptor`` the descriptor of the row's file.
    """

    worker: Any
    arbiter: Any
    keeper_pid: int
    generation: int
    slot: Slot
    row_descriptor: int
    forked_monotonic_ns: int
    channel: Channel
    apply_policy: Callable[[Slot], None]
    leaves_without_finalization: bool
