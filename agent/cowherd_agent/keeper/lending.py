"""Lending the listening sockets to the keeper of another herd, which is to take this one's place.

A supervisor that does not speak this keeper's protocol version can't adopt the herd. It starts one
of its own beside it, whose keeper comes to the door and asks for the listeners. It gets the sockets
themselves (SCM_RIGHTS, unix(7)), so that both herds accept out of the same queues. For this herd
nothing changes by that. Then one of two things comes:

- The borrower's side of the connection ends: the other herd has failed, and all is as it was.
- `give_way`: the other herd's workers are ready. This herd ends after its requests in flight. The
  sockets, their files and the runtime directory are the other keeper's.

The lender's side ends when this process does. Should that be before either, all is the borrower's.
Who leaves ends its side first and looks for the other's end then, so that of two that leave at once
one at least takes away what there is (`leave` here and in borrowing.py).

What two keepers say is the same in every protocol version, one JSON object a line:

    lend      asks for the listeners
    lent      answers, with a descriptor for each listener, in their order; `refused`, with a code
              and a detail, where that can't be
    give_way  `kept` has the addresses, as `lent` has them, that the other herd listens on
    taken_back  by the lender, when a loan has ended without: this process goes on
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
from collections.abc import Iterable

from cowherd_agent.keeper.listeners import Listener
from cowherd_agent.wire import message_rules
from cowherd_agent.wire.message_rules import BadMessage
from cowherd_agent.wire.messages import Message

# The kernel passes no more at once (SCM_MAX_FD, include/net/scm.h).
MOST_LISTENERS = 253

LONGEST_LINE_BYTES = 256 * 1024

# struct ucred (unix(7)): pid, uid, gid.
_CREDENTIALS = struct.Struct("iII")


def is_trusted(connection: socket.socket) -> bool:
    """Whether the other side is root, or of this process's own user, by the kernel's word."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(credentials)
    return uid in (0, os.geteuid())


class Loan:
    """What one borrower has, over the connection on which it has asked.

    Attributes:
        is_given_way: the borrower has said `give_way`.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._incoming = b""
        self.is_given_way = False

    def fileno(self) -> int:
        return self._connection.fileno()

    def lend(self, listeners: dict[str, Listener], protocol: int) -> None:
        """Hands out the sockets. Raises OSError; a borrower that gets none goes away."""
        lent: Message = {
            "type": "lent",
            "pid": os.getpid(),
            "protocol": protocol,
            "listeners": [
                {
                    "address": json.loads(address),
                    "is_inherited": listener.is_inherited,
                    "file": listener.file,
                }
                for address, listener in listeners.items()
            ],
        }
        descriptors = [listener.socket.fileno() for listener in listeners.values()]
        socket.send_fds(self._connection, [json.dumps(lent).encode() + b"\n"], descriptors)

    def read(self) -> Iterable[Message] | None:
        """What the borrower has said; None at the end of the loan, or when it says nonsense."""
        try:
            data = self._connection.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []
        except OSError:
            return None
        *lines, self._incoming = (self._incoming + data).split(b"\n")
        if not data or len(self._incoming) > LONGEST_LINE_BYTES:
            return None
        try:
            return [message_rules.read(line) for line in lines]
        except BadMessage:
            return None

    def take_back(self) -> None:
        """It has ended, and this process has not."""
        with contextlib.suppress(OSError):
            self._connection.send(json.dumps({"type": "taken_back"}).encode() + b"\n")
        self._connection.close()

    def leave(self) -> bool:
        """This process leaves. Whether what was lent is the borrower's."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
        return self.is_given_way or self.read() is not None


def addresses_kept(message: Message) -> set[str]:
    """As the keeper names them, of a `give_way`."""
    kept = message.get("kept")
    if type(kept) is not list:
        return set()
    return {json.dumps(address, sort_keys=True) for address in kept}
