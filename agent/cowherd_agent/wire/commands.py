"""Commands, as the keeper and molds take them: known, and of the shape that the supervisor sends.

The shapes are those of src/agent/messages.ts (shapes.json). What the keeper says to a mold itself
has its shape here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, cast

from cowherd_agent.wire import shapes
from cowherd_agent.wire.checking import problem_of_fields
from cowherd_agent.wire.message_rules import BadMessage
from cowherd_agent.wire.messages import Message

if TYPE_CHECKING:
    from cowherd_agent.wire.command_types import KeeperCommand, MoldOrder
    from cowherd_agent.wire.messages import ToMold

_ORDER: dict[str, Any] = shapes.KEEPER_COMMANDS["start_mold"]["mold"][1]

_TO_MOLD: dict[str, Any] = {
    **shapes.MOLD_COMMANDS,
    "listeners": {"families": ["list", "string"], "inherited": ["list", "boolean"]},
}


def keeper_command(message: Message) -> KeeperCommand:
    """A command of the supervisor to the keeper. Raises BadMessage."""
    return cast("KeeperCommand", _checked(message, shapes.KEEPER_COMMANDS))


def mold_command(message: Message) -> ToMold:
    """A command that a mold has received. Raises BadMessage."""
    return cast("ToMold", _checked(message, _TO_MOLD))


def mold_order(message: Message) -> MoldOrder:
    """The order that a mold is started with. Raises BadMessage."""
    problem = problem_of_fields(message, _ORDER)
    if problem is not None:
        raise BadMessage(f"order: {problem}")
    return cast("MoldOrder", message)


def unhandled(command: NoReturn) -> NoReturn:
    """For the end of a chain over all commands: mypy refuses the call where one is left over."""
    raise AssertionError(command)


def _checked(message: Message, known: dict[str, Any]) -> Message:
    kind = message.get("type")
    shape = known.get(kind) if isinstance(kind, str) else None
    if shape is None:
        raise BadMessage(f"unknown command {str(kind)[:40]!r}")
    problem = problem_of_fields(message, shape)
    if problem is not None:
        raise BadMessage(f"{kind}: {problem}")
    return message
