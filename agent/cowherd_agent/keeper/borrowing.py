"""Borrowing the listening sockets of another keeper's herd, to take its place (lending.py).

Until this herd takes over, the sockets are the lender's: this keeper removes no socket file and
turns nobody away.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import socket
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from cowherd_agent.keeper import lending
from cowherd_agent.keeper.listeners import Listener
from cowherd_agent.wire import message_rules
from cowherd_agent.wire.message_rules import BadMessage
from cowherd_agent.wire.messages import Message

if TYPE_CHECKING:
    from cowherd_agent.wire.settings_types import Address

# A keeper answers within milliseconds.
_ANSWER_SECONDS = 5.0


class BorrowError(Exception):
    """Nothing was lent; ``code`` is one of the error catalogue's."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Offer(NamedTuple):
    """A listener that was lent.

    Attributes:
        address: the address that the lender was asked to listen on.
        bound: where the socket is: the host and the port, or the path.
    """

    address: Address
    bound: tuple[str, int] | str
    listener: Listener


class Borrowed:
    """The lent listeners, and the connection to the lender.

    Attributes:
        pid: the lender's pid.
        protocol: the protocol version that the lender speaks.
    """

    def __init__(
        self, connection: socket.socket, pid: int, protocol: int, offers: list[Offer]
    ) -> None:
        self._connection = connection
        self._offers = offers
        self._lender_has_left = False
        self.pid = pid
        self.protocol = protocol

    def fileno(self) -> int:
        return self._connection.fileno()

    def take(self, address: Address) -> Listener | None:
        """The listener for this address, if it was lent and has not been closed since."""
        found = match(address, self._offers)
        if found is None or self._offers[found].listener.socket.fileno() < 0:
            return None
        return self._offers[found].listener

    def hear(self) -> Literal["nothing", "taken_back", "gone"]:
        """What the lender did: took the loan back, or left."""
        try:
            # The lender can send only one message.
            return "taken_back" if self._connection.recv(4096, socket.MSG_DONTWAIT) else "gone"
        except BlockingIOError:
            return "nothing"
        except OSError:
            return "gone"

    def leave(self) -> bool:
        """This process leaves. Returns whether the lender has left, too."""
        if self.fileno() < 0 or self._lender_has_left:
            return False
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
        return self.hear() == "gone"

    def lender_has_left(self) -> None:
        """All that was lent belongs to this keeper.

        The connection stays open: a lender that has ended its own side looks next whether this side
        has ended, and would take a close for the borrower's failure (`Loan.leave`).
        """
        self._lender_has_left = True
        self.own()

    def own(self) -> None:
        """The lender has left, or is about to: all that was lent belongs to this keeper."""
        for offer in self._offers:
            offer.listener.is_ours = True

    def take_over(self, used: Collection[Listener]) -> None:
        """Makes the lender give way, if it is still there, and closes the listeners that this herd
        does not use. Nothing is left to take."""
        self.own()
        kept = [offer.address for offer in self._offers if offer.listener in used]
        line = json.dumps({"type": "give_way", "kept": kept}).encode() + b"\n"
        with contextlib.suppress(OSError):
            self._connection.sendall(line)
        self._offers = [offer for offer in self._offers if offer.listener not in used]
        self.close_listeners()

    def close_listeners(self) -> None:
        """Closes the listeners that nobody took; their files too, if they are this keeper's."""
        for offer in self._offers:
            offer.listener.close()
        self._offers = []

    def close(self) -> None:
        self._connection.close()


def match(address: Address, offers: Sequence[Offer]) -> int | None:
    """Index of the offer for this address: requested in the same words, or bound to it. Pure."""
    for index, offer in enumerate(offers):
        if offer.address == address:
            return index
    for index, offer in enumerate(offers):
        if offer.bound == _bound_by(address):
            return index
    return None


def _bound_by(address: Address) -> tuple[str, int] | str | None:
    """Where a socket for this address is bound; None if the kernel chooses (port 0)."""
    if address["kind"] == "unix":
        path = address["path"]
        return path if path.startswith("\0") else os.path.abspath(path)
    if address["kind"] == "tcp" and address["port"] != 0:
        return (address["host"], address["port"])
    return None


def borrow(socket_path: str) -> Borrowed:
    """Asks the keeper behind this adoption socket. Raises BorrowError."""
    with contextlib.ExitStack() as undo:
        connection = undo.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        try:
            lent = _ask(connection, socket_path, undo)
            connection.setblocking(False)
        except OSError as error:
            raise BorrowError("KEEPER_NO_ANSWER", f"{socket_path}: {error}") from error
        except (BadMessage, KeyError, TypeError, ValueError) as error:
            detail = f"the keeper at {socket_path} gave an invalid answer: {error}"
            raise BorrowError("PROTOCOL_MISMATCH", detail) from error
        undo.pop_all()
    return lent


def _ask(connection: socket.socket, socket_path: str, undo: contextlib.ExitStack) -> Borrowed:
    connection.settimeout(_ANSWER_SECONDS)
    connection.connect(socket_path)
    if not lending.is_trusted(connection):
        detail = f"{socket_path}: its keeper belongs to another user"
        raise BorrowError("RUNTIME_DIRECTORY_UNSAFE", detail)
    connection.sendall(json.dumps({"type": "lend"}).encode() + b"\n")
    answer, descriptors = _receive(connection, undo)
    if answer["type"] == "refused":
        raise BorrowError(str(answer.get("code")), f"{socket_path}: {answer.get('detail')}")
    listeners = answer["listeners"]
    if answer["type"] != "lent" or len(listeners) != len(descriptors):
        raise BadMessage(f"{answer['type']} with {len(descriptors)} descriptors")
    offers = [_offer(each, taken) for each, taken in zip(listeners, descriptors, strict=True)]
    return Borrowed(connection, int(answer["pid"]), int(answer["protocol"]), offers)


def _receive(
    connection: socket.socket, undo: contextlib.ExitStack
) -> tuple[Message, list[socket.socket]]:
    """Receives one line, and the sockets that come with it."""
    room = socket.CMSG_SPACE(lending.MOST_LISTENERS * array.array("i").itemsize)
    line = b""
    sockets = []
    while not line.endswith(b"\n"):
        data, ancillary, flags, _ = connection.recvmsg(65536, room, socket.MSG_CMSG_CLOEXEC)
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                received = array.array("i")
                received.frombytes(payload[: len(payload) - len(payload) % received.itemsize])
                sockets += [undo.enter_context(socket.socket(fileno=each)) for each in received]
        line += data
        if not data or flags & socket.MSG_CTRUNC or len(line) > lending.LONGEST_LINE_BYTES:
            raise BadMessage("it is truncated")
    return message_rules.read(line), sockets


def _offer(lent: Message, taken: socket.socket) -> Offer:
    is_listening = taken.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if taken.type != socket.SOCK_STREAM or not is_listening:
        raise BadMessage("a descriptor that is not a listening socket")
    file = lent["file"]
    path = None if file is None else str(file["path"])
    inode = None if file is None else int(file["inode"])
    listener = Listener(taken, path, lent["is_inherited"] is True, inode)
    listener.is_ours = False
    name = taken.getsockname()
    if taken.family == socket.AF_UNIX:
        return Offer(lent["address"], path or os.fsdecode(name), listener)
    return Offer(lent["address"], (name[0], name[1]), listener)
