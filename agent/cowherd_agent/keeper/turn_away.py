"""How a listening socket turns new connections away and keeps the queued ones.

The kernel makes a connection and queues it until a worker accepts it. When the last process closes
the socket, the kernel resets queued connections. So before a herd stops, new connections are
refused while the queue drains:

- TCP: the socket is bound to a network interface that does not exist. New connections find no
  listener and are refused at once. Handshakes under way complete: their sockets have the interface
  that the listener had before (net/ipv4/inet_connection_sock.c, inet_csk_clone_lock). Any user may
  do that to a socket that is bound to no interface. Where the kernel can't (Linux before 5.1, or
  before 5.7 for users), a filter on the socket drops packets that ask for a connection (SYN without
  ACK; RFC 9293, 3.1). Newer kernels give users no such filter for TCP.
- Unix: the socket's file, through which clients find it, is removed.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Iterable, Sequence

# include/uapi/asm-generic/socket.h; the same numbers on x86, ARM and RISC-V.
_SO_ATTACH_FILTER = 26
_SO_BINDTOIFINDEX = 62

# The kernel counts interfaces from 1 on (net/core/dev.c, dev_index_reserve).
_NO_INTERFACE = 2**31 - 1

_TCP_FLAGS_OFFSET = 13
_SYN, _ACK = 0x02, 0x10

# Classic BPF (include/uapi/linux/bpf_common.h, filter.h): code, jump if true, jump if false, value.
# For a TCP socket the data begins with the TCP header (net/ipv4/tcp_ipv4.c, tcp_filter).
_DROP_SYN = (
    (0x30, 0, 0, _TCP_FLAGS_OFFSET),  # ldb [13]
    (0x54, 0, 0, _SYN | _ACK),  # and #0x12
    (0x15, 0, 1, _SYN),  # jeq #0x02, next, one further
    (0x06, 0, 0, 0),  # ret #0: drop
    (0x06, 0, 0, 0x40000),  # ret #262144: take the whole packet
)


def turn_away_tcp(listening: socket.socket) -> None:
    """Applies to all processes that have this socket, and for good. Raises OSError."""
    try:
        interface = struct.pack("i", _NO_INTERFACE)
        listening.setsockopt(socket.SOL_SOCKET, _SO_BINDTOIFINDEX, interface)
    except OSError:
        _drop_requests(listening)


def _drop_requests(listening: socket.socket) -> None:
    program = b"".join(struct.pack("=HBBI", *instruction) for instruction in _DROP_SYN)
    instructions = ctypes.create_string_buffer(program)
    # struct sock_fprog: the count, and the address of the instructions.
    head = struct.pack("HL", len(_DROP_SYN), ctypes.addressof(instructions))
    listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, head)


def handshakes(ports: Sequence[int]) -> int:
    """How many connections to these local ports are being made: their clients' last packet is still
    missing (state SYN_RECV; Documentation/networking/proc_net_tcp.rst)."""
    total = 0
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(path, encoding="ascii") as table:
                total += count_handshakes(table, ports)
        except OSError:
            # No IPv6, or no such file in this container.
            continue
    return total


_SYN_RECV = "03"


def count_handshakes(lines: Iterable[str], ports: Sequence[int]) -> int:
    """Counts handshakes in the lines of /proc/net/tcp. Pure."""
    wanted = {f"{port:04X}" for port in ports}
    count = 0
    for line in lines:
        fields = line.split(None, 4)
        if len(fields) > 3 and fields[3] == _SYN_RECV and fields[1].rpartition(":")[2] in wanted:
            count += 1
    return count
