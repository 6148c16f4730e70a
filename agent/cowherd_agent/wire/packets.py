"""Packets that molds and workers send to the keeper, with their sender by the kernel.

The sender's pid is the kernel's (SCM_CREDENTIALS, unix(7)): a process without CAP_SYS_ADMIN can
give only its own.
"""

from __future__ import annotations

import array
import contextlib
import errno
import os
import socket
import struct
from typing import Final, NamedTuple

from cowherd_agent.wire.messages import LARGEST_PACKET_BYTES

# A channel and a scoreboard; more are closed unread.
_MOST_DESCRIPTORS: Final = 4

# struct ucred (unix(7)): pid, uid, gid.
_CREDENTIALS: Final = struct.Struct("iII")
_SCM_CREDENTIALS: Final = 2  # include/linux/socket.h

_ANCILLARY_BYTES: Final = socket.CMSG_SPACE(_CREDENTIALS.size) + socket.CMSG_SPACE(
    _MOST_DESCRIPTORS * array.array("i").itemsize
)


class Packet(NamedTuple):
    """One packet as received.

    Attributes:
        descriptors: descriptors that came with it, for the receiver to close.
        sender_pid: 0 if the kernel named none.
        is_cut: whether it was larger than any message may be.
    """

    data: bytes
    descriptors: list[int]
    sender_pid: int
    is_cut: bool

    def close(self) -> None:
        """Closes the descriptors that came with it, once."""
        while self.descriptors:
            with contextlib.suppress(OSError):
                os.close(self.descriptors.pop())

    def take(self) -> list[int]:
        """Hands over the descriptors to the caller, who closes them from now on."""
        taken = list(self.descriptors)
        self.descriptors.clear()
        return taken


def expect_senders(connection: socket.socket) -> None:
    """Makes the kernel name, from now on, the sender of each packet received here."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)


def receive(connection: socket.socket) -> Packet | None:
    """The next packet, without waiting; None if there is none yet.

    A packet without data is the end: the other side is gone, or has sent an empty packet, which is
    no message.
    """
    while True:
        try:
            # Not socket.recv_fds, which drops the flags (Lib/socket.py, 3.10 to 3.13).
            data, ancillary, flags, _ = connection.recvmsg(
                LARGEST_PACKET_BYTES,
                _ANCILLARY_BYTES,
                socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC,
            )
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EINTR):
                return None
            if error.errno == errno.ECONNRESET:
                # The other side left with something of ours unread. The kernel reports that before
                # the other side's own packets (net/unix/af_unix.c, unix_release_sock), which are
                # still to be read.
                continue
            return Packet(b"", [], 0, False)
        return _packet(data, ancillary, bool(flags & socket.MSG_TRUNC))


def _packet(data: bytes, ancillary: list[tuple[int, int, bytes]], is_cut: bool) -> Packet:
    descriptors = array.array("i")
    sender_pid = 0
    for level, kind, payload in ancillary:
        if level != socket.SOL_SOCKET:
            continue
        if kind == socket.SCM_RIGHTS:
            descriptors.frombytes(payload[: len(payload) - len(payload) % descriptors.itemsize])
        elif kind == _SCM_CREDENTIALS and len(payload) >= _CREDENTIALS.size:
            sender_pid = _CREDENTIALS.unpack_from(payload)[0]
    return Packet(data, descriptors.tolist(), sender_pid, is_cut)
