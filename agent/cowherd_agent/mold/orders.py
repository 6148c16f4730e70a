"""The order that a mold is started with, and how it starts anew with another one."""

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
    """Waits for it. Raises SystemExit when the keeper leaves before."""
    carried = os.environ.pop(ORDER_VARIABLE, None)
    if carried is not None:
        order: dict[str, Any] = json.loads(carried)
        return order
    message, _ = channel.receive()
    if message is None or message["type"] != "order":
        raise SystemExit("mold: the keeper ended before it gave an order")
    return message


def start_again(
    order: dict[str, Any], arguments: Sequence[str], channel: Channel, policy: str, rejection: str
) -> NoReturn:
    """Executes this process again, on the same channel, without a heap policy that was rejected:
    what was done to a heap can't be taken back."""
    rejected = {"policy": policy, "reason": rejection}
    again = {**order, "rejected_policies": [*order.get("rejected_policies", []), rejected]}
    channel.set_inheritable(True)
    sys.stdout.flush()
    sys.stderr.flush()
    os.chdir(order["cwd"])
    os.environ[ORDER_VARIABLE] = json.dumps(again)
    os.execv(sys.executable, [sys.executable, LAUNCHER, "mold", *arguments])
