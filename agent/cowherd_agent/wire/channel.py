"""A mold's or a worker's end of its packet socket to the keeper; no other process has it."""

from __future__ import annotations

import array
import json
import os
import socket
from collections.abc import Sequence
from select import POLLIN, poll
from typing import TYPE_CHECKING, Any

from cowherd_agent.wire.messages import LARGEST_PACKET_BYTES, Message
from cowherd_agent.wire.packets import expect_senders

if TYPE_CHECKING:
    from cowherd_agent.wire.messages import FromMold, FromWorker

_MOST_LISTENERS = 64


class Channel:
    """Sends and receives one JSON object per packet."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    @classmethod
    def inherited(cls, descriptor: int) -> Channel:
        """The channel on a descriptor that the keeper has passed on."""
        os.set_inheritable(descriptor, False)
        return cls(socket.socket(fileno=descriptor))

    @classmethod
    def pair(cls) -> tuple[Channel, socket.socket]:
        """A new channel, and the keeper's end, where the kernel names the sender of each packet."""
        ours, keepers = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        expect_senders(keepers)
        return cls(ours), keepers

    def fileno(self) -> int:
        return self._connection.fileno()

    def set_inheritable(self, inheritable: bool) -> None:
        """Whether a program that replaces this one (exec) keeps the channel."""
        self._connection.set_inheritable(inheritable)

    def send(self, message: FromMold | FromWorker, descriptors: Sequence[int] = ()) -> None:
        """Sends and waits for room. Used by the mold, whose messages must arrive.

        Raises OSError if the keeper is gone.
        """
        socket.send_fds(self._connection, [_packet(message)], list(descriptors))

    def close(self) -> None:
        self._connection.close()

    def send_if_possible(self, message: FromWorker) -> bool:
        """Sends without waiting; False if the keeper can't take the message now or is gone.

        Used by workers: a request must never wait for a stopped keeper.
        """
        try:
            self._connection.send(_packet(message), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except OSError:
            return False
        return True

    def wait(self, seconds: float) -> bool:
        """Whether, within that time, a message arrives or the keeper leaves."""
        look = poll()
        look.register(self._connection.fileno(), POLLIN)
        return bool(look.poll(seconds * 1000))

    def receive(self) -> tuple[Message | None, list[int]]:
        """The next message and the descriptors that came with it; None when the keeper left."""
        space = socket.CMSG_SPACE(_MOST_LISTENERS * array.array("i").itemsize)
        data, ancillary, _, _ = self._connection.recvmsg(LARGEST_PACKET_BYTES, space)
        descriptors: list[int] = []
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                received = array.array("i")
                received.frombytes(payload[: len(payload) - len(payload) % received.itemsize])
                descriptors.extend(received)
        if not data:
            return None, descriptors
        message: Any = json.loads(data)
        if not isinstance(message, dict):
            raise ValueError("a message must be a JSON object")
        return message, descriptors


def _packet(message: FromMold | FromWorker) -> bytes:
    data = json.dumps(message).encode()
    if len(data) <= LARGEST_PACKET_BYTES:
        return data
    # Only texts get this long (tracebacks); their end says what went wrong.
    texts = {
        key: value[-8192:] if isinstance(value, str) else value for key, value in message.items()
    }
    return json.dumps(texts).encode()
