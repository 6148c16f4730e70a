"""The order that a mold is started with, and how a mold starts again with another order."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from cowherd_agent.places import LAUNCHER

if TYPE_CHECKING:
    from cowherd_agent.wire.channel import Channel

# Carries the order over an exec.
ORDER_VARIABLE = "COWHERD_MOLD_ORDER"


def receive_order(channel: Channel) -> dict[str, Any]:
    """Waits for the order. Raises SystemExit if the keeper leaves first."""
    carried = os.environ.pop(ORDER_VARIABLE, None)
    if carried is not None:
        order: dict[str, Any] = json.loads(carried)
        return order
    message, _ = channel.receive()
    if message is None or message["type"] != "order":
        raise SystemExit("mold: the keeper left before it gave an order")
    return message


def start_again(
    order: dict[str, Any], arguments: Sequence[str], channel: Channel, policy: str, rejection: str
) -> NoReturn:
    """Executes this process again, on the same channel, without the rejected heap policy: changes
    to a heap can't be undone."""
    rejected = {"policy": policy, "reason": rejection}
    again = {**order, "rejected_policies": [*order.get("rejected_policies", []), rejected]}
    channel.set_inheritable(True)
    sys.stdout.flush()
    sys.stderr.flush()
    os.chdir(order["cwd"])
    os.environ[ORDER_VARIABLE] = json.dumps(again)
    os.execv(sys.executable, [sys.executable, LAUNCHER, "mold", *arguments])
