"""How many connections wait on a listening socket to be accepted, by the kernel's count.

TCP_INFO gives it for a listening TCP socket (net/ipv4/tcp.c, tcp_get_info), the socket diagnosis
for a Unix socket (sock_diag(7), UDIAG_SHOW_RQLEN). Both work in a separate network namespace and
for every user, and cost some microseconds.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import Final, NamedTuple

# struct tcp_info (include/uapi/linux/tcp.h): eight bytes, then 32-bit numbers. The fifth and sixth
# are a listening socket's queue and its limit.
_TCP_INFO_NUMBERS: Final = struct.Struct("=8x6I")

# include/uapi/linux/netlink.h, sock_diag.h, unix_diag.h
_NETLINK_SOCK_DIAG: Final = 4
_SOCK_DIAG_BY_FAMILY: Final = 20
_NLM_F_REQUEST: Final = 1
_UDIAG_SHOW_RQLEN: Final = 0x10
_UNIX_DIAG_RQLEN: Final = 4
_ANY_STATE: Final = 0xFFFF_FFFF
_ANY_COOKIE: Final = 0xFFFF_FFFF

_HEADER: Final = struct.Struct("=IHHII")
_REQUEST: Final = struct.Struct("=BBHIIIII")
_ANSWER: Final = struct.Struct("=BBBBIII")
_ATTRIBUTE: Final = struct.Struct("=HH")
_QUEUE: Final = struct.Struct("=II")


class Queue(NamedTuple):
    """Attributes:
    waiting: connections that the kernel has made and no worker has accepted.
    most: how many may wait; the kernel keeps out any more.
    """

    waiting: int
    most: int


def queue_of(listening: socket.socket) -> Queue | None:
    """The socket's queue; None if the kernel gives no data."""
    try:
        if listening.family == socket.AF_UNIX:
            return _ask_of_unix(os.fstat(listening.fileno()).st_ino)
        size = _TCP_INFO_NUMBERS.size
        info = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, size)
        numbers = _TCP_INFO_NUMBERS.unpack(info)
        return Queue(numbers[4], numbers[5])
    except (OSError, struct.error):
        return None


def _ask_of_unix(inode: int) -> Queue | None:
    body = _REQUEST.pack(
        socket.AF_UNIX, 0, 0, _ANY_STATE, inode, _UDIAG_SHOW_RQLEN, _ANY_COOKIE, _ANY_COOKIE
    )
    length = _HEADER.size + len(body)
    header = _HEADER.pack(length, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as asking:
        asking.settimeout(0.1)
        asking.send(header + body)
        return read_unix_answer(asking.recv(4096))


def read_unix_answer(answer: bytes) -> Queue | None:
    """Parses the kernel's answer; None if it is of another kind. Pure."""
    _, kind, _, _, _ = _HEADER.unpack_from(answer)
    if kind != _SOCK_DIAG_BY_FAMILY:
        return None
    offset = _HEADER.size + _ANSWER.size
    while offset + _ATTRIBUTE.size <= len(answer):
        size, kind = _ATTRIBUTE.unpack_from(answer, offset)
        if kind == _UNIX_DIAG_RQLEN:
            return Queue(*_QUEUE.unpack_from(answer, offset + _ATTRIBUTE.size))
        # Attributes begin at multiples of four.
        offset += max(_ATTRIBUTE.size, (size + 3) & ~3)
    return None
