"""Which messages the keeper takes: of whom, and when. Pure.

A worker runs the application's requests and may be anybody's by now: what it may say is a closed
list, and who it is the keeper knows better. A mold is believed only in the state in which a
message is due. One that was a worker has no settings of its own: they are those of the mold that
it was forked from.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import Final

from cowherd_agent.wire.messages import Message
from cowherd_agent.wire.shapes import WORKER_MESSAGES


class BadMessage(ValueError):
    """What came is no message, or not one that is due."""


class Stage(Enum):
    """How far a mold is; the words are for messages to people."""

    UNORDERED = "that has no order yet"
    ORDERED = "that has read no settings yet"
    CONFIGURED = "that is not ready yet"
    READY = "that is ready"


_ALWAYS: Final = frozenset({"progress", "notice"})
_ENDS: Final = frozenset({"mold_failed", "mold_finished"})

_DUE: Final = {
    Stage.UNORDERED: frozenset[str](),
    Stage.ORDERED: _ALWAYS | _ENDS | {"configured"},
    Stage.CONFIGURED: _ALWAYS | _ENDS | {"mold_ready", "policy_rejected"},
    Stage.READY: _ALWAYS | {"forked", "fork_failed"},
}

# A mold that was a worker can neither start anew nor end the herd.
_NEVER_OF_WORKERS: Final = frozenset({"mold_finished", "policy_rejected"})

_LONGEST_SHOWN: Final = 40


def read(data: bytes) -> Message:
    """A message out of a packet or a line. Raises BadMessage."""
    try:
        value = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"no JSON: {str(error)[:100]}") from None
    if type(value) is not dict or type(value.get("type")) is not str:
        raise BadMessage("no object with a type")
    return value


def write(message: Message) -> bytes:
    """The line that relays it. Raises BadMessage for what JSON has no words for."""
    try:
        return json.dumps(message, allow_nan=False).encode() + b"\n"
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"no JSON: {error}") from None


def of_mold(message: Message, stage: Stage, *, was_worker: bool, forking: set[int]) -> None:
    """Raises BadMessage where this is not due from a mold at this stage.

    ``forking`` are the slots for which it was told to fork.
    """
    kind = message["type"]
    if kind not in _DUE[stage] or (was_worker and kind in _NEVER_OF_WORKERS):
        raise BadMessage(f"{_shown(kind)} is not due from a mold {stage.value}")
    if kind in ("forked", "fork_failed") and whole(message, "slot") not in forking:
        raise BadMessage(f"{kind} for slot {message['slot']}, for which no fork was asked")
    if kind == "forked":
        for name in ("pid", "age", "forked_monotonic_ns"):
            whole(message, name)


def of_worker(message: Message) -> None:
    """Raises BadMessage where no worker says such a thing."""
    if message["type"] not in WORKER_MESSAGES:
        raise BadMessage(f"{_shown(message['type'])} is not a worker's to say")


def stage_after(kind: str, stage: Stage) -> Stage:
    """How far a mold is that has said this, which was due."""
    if kind == "configured":
        return Stage.CONFIGURED
    if kind == "policy_rejected":
        # It starts anew, without that policy.
        return Stage.ORDERED
    if kind == "mold_ready":
        return Stage.READY
    return stage


def whole(message: Message, name: str) -> int:
    """A whole number of a message. Raises BadMessage."""
    value = message.get(name)
    if type(value) is not int:
        raise BadMessage(f"{_shown(message['type'])} without a whole number as {name}")
    return value


def _shown(kind: str) -> str:
    return repr(kind[:_LONGEST_SHOWN])


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")
