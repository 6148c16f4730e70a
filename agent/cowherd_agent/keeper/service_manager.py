"""Notifications to the service manager that has started the herd (sd_notify(3))."""

from __future__ import annotations

import contextlib
import socket


def notify(address: str, text: str) -> None:
    """``address`` is the value of NOTIFY_SOCKET. Nobody has to listen there."""
    if address.startswith("@"):
        address = "\0" + address[1:]
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender,
    ):
        sender.sendto(text.encode(), address)
