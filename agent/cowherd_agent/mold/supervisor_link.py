"""A mold's messages to the supervisor, over its channel to the keeper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cowherd_agent.wire.channel import Channel
    from cowherd_agent.wire.message_types import MoldMessage, MoldProgress


class SupervisorLink:
    """`channel` is the mold's own; in a worker that becomes a mold it is the worker's."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    def send(self, message: MoldMessage) -> None:
        """Raises OSError if the keeper is gone."""
        self.channel.send(message)

    def notice(self, level: Literal["info", "warning"], text: str) -> None:
        """A line for the supervisor's log; `level` is info or warning."""
        self.send({"type": "notice", "level": level, "text": text})

    def progress(
        self,
        phase: str,
        text: str,
        seconds: float,
        done: int = 0,
        total: int | None = None,
        final: bool = False,
    ) -> None:
        """Progress of a piece of work; `final` at its end."""
        message: MoldProgress = {
            "type": "progress",
            "phase": phase,
            "text": text,
            "done": done,
            "seconds": seconds,
            "final": final,
        }
        if total is not None:
            message["total"] = total
        self.send(message)
