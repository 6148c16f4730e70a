"""The order that a mold is started with, and how a mold starts again with another order."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from cowherd_agent.places import LAUNCHER
from cowherd_agent.wire import commands
from cowherd_agent.wire.message_rules import BadMessage

if TYPE_CHECKING:
    from cowherd_agent.wire.channel import Channel
    from cowherd_agent.wire.command_types import MoldOrder, Remark
    from cowherd_agent.wire.messages import Message

# Carries the order over an exec.
ORDER_VARIABLE = "COWHERD_MOLD_ORDER"


def receive_order(channel: Channel) -> MoldOrder:
    """Waits for the order. Raises SystemExit if the keeper leaves first, or the order is
    malformed."""
    carried = os.environ.pop(ORDER_VARIABLE, None)
    if carried is not None:
        return _checked(json.loads(carried))
    message, _ = channel.receive()
    if message is None or message["type"] != "order":
        raise SystemExit("mold: the keeper left before it gave an order")
    return _checked(message)


def _checked(message: Message) -> MoldOrder:
    try:
        return commands.mold_order(message)
    except BadMessage as error:
        raise SystemExit(f"mold: {error}") from None


def start_again(
    order: MoldOrder, arguments: Sequence[str], channel: Channel, policy: str, rejection: str
) -> NoReturn:
    """Executes this process again, on the same channel, without the rejected heap policy: changes
    to a heap can't be undone."""
    rejected: Remark = {"policy": policy, "reason": rejection}
    again = {**order, "rejected_policies": [*order["rejected_policies"], rejected]}
    channel.set_inheritable(True)
    sys.stdout.flush()
    sys.stderr.flush()
    os.chdir(order["cwd"])
    os.environ[ORDER_VARIABLE] = json.dumps(again)
    os.execv(sys.executable, [sys.executable, LAUNCHER, "mold", *arguments])
