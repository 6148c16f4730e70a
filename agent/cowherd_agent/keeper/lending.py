"""Lending the listening sockets to the keeper of another herd, which is to take this one's place.

A supervisor that does not speak this keeper's protocol version can't adopt the herd. It starts its
own herd beside it, whose keeper connects to the adoption socket and asks for the listeners. It gets
the sockets themselves (SCM_RIGHTS, unix(7)), so that both herds accept from the same queues. This
herd keeps serving as before. Then one of two things happens:

- The borrower's side of the connection ends: the other herd has failed, and nothing has changed.
- `give_way`: the other herd's workers are ready. This herd ends after its requests in flight. The
  sockets, their files and the runtime directory then belong to the other keeper.

The lender's side ends when this process does. If that comes first, everything is the borrower's. A
process that leaves ends its own side first and then looks for the other's end. So if both leave at
once, at least one of them removes the files (`leave` here and in borrowing.py). A borrower
that hears of the lender's end keeps its own side open, so that the lender does not take it for one
that has failed.

The messages between two keepers are the same in every protocol version, one JSON object a line:

    lend      asks for the listeners
    lent      answers, with a descriptor for each listener, in their order; `refused`, with a code
              and a detail, if that is impossible
    give_way  `kept` has the addresses, as in `lent`, that the other herd listens on
    taken_back  by the lender, when a loan has ended without `give_way`: this process stays
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
    """Whether the peer is root or this process's own user, by the kernel's credentials."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(credentials)
    return uid in (0, os.geteuid())


class Loan:
    """One borrower's loan, over the connection on which the borrower asked.

    Attributes:
        is_given_way: the borrower has sent `give_way`.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._incoming = b""
        self.is_given_way = False

    def fileno(self) -> int:
        return self._connection.fileno()

    def lend(self, listeners: dict[str, Listener], protocol: int) -> None:
        """Hands out the sockets. Raises OSError; a borrower that gets none leaves."""
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
        """The borrower's messages; None at the end of the loan, or after an invalid message."""
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
        """Ends the loan while this process stays."""
        with contextlib.suppress(OSError):
            self._connection.send(json.dumps({"type": "taken_back"}).encode() + b"\n")
        self._connection.close()

    def leave(self) -> bool:
        """This process leaves. Returns whether the lent sockets are the borrower's."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
        return self.is_given_way or self.read() is not None


def addresses_kept(message: Message) -> set[str]:
    """The addresses that a `give_way` keeps, in the keeper's own form."""
    kept = message.get("kept")
    if type(kept) is not list:
        return set()
    return {json.dumps(address, sort_keys=True) for address in kept}
