"""Sockets that the supervisor was started with: systemd's, or those of binds to ``fd://N``.

The supervisor passes them on from descriptor 4 on; a variable has their numbers there.

Imports next to nothing: the first mold imports this module, too.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

    from cowherd_agent.keeper.listeners import Listener

VARIABLE = "COWHERD_SOCKETS"

# After the standard streams and the supervisor's socket (src/agent/keeper-process.ts).
FIRST_DESCRIPTOR = 4


def drop() -> None:
    """Closes the sockets, in a process that is not the keeper."""
    for descriptor in _take():
        os.close(descriptor)


def take_sockets() -> dict[int, socket.socket]:
    """Sockets that can be listened on, by their number in the supervisor."""
    import socket

    found = {}
    for descriptor, number in _take().items():
        os.set_inheritable(descriptor, False)
        taken = socket.socket(fileno=descriptor)
        if taken.type == socket.SOCK_STREAM and not _is_connected(taken):
            found[number] = taken
        else:
            taken.close()
    return found


def listen_on(inherited: dict[int, socket.socket], number: int, backlog: int) -> Listener:
    """Listens on one of the sockets. Its socket file is not ours to remove. Raises ListenError."""
    import socket

    from cowherd_agent.keeper.listeners import Listener, ListenError

    name = f"fd://{number}"
    if number not in inherited:
        reason = "no socket to listen on was inherited with this number"
        raise ListenError("ADDRESS_UNAVAILABLE", name, reason)
    listening = inherited[number].dup()
    try:
        # A second listen() can be denied (SELinux); gunicorn does the same.
        if not listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            listening.listen(backlog)
    except OSError as error:
        listening.close()
        raise ListenError("ADDRESS_UNAVAILABLE", name, error.strerror or str(error)) from error
    listening.setblocking(False)
    return Listener(listening, None, is_inherited=True)


def _take() -> dict[int, int]:
    """The sockets' descriptors in this process, each with its number in the supervisor."""
    numbers = os.environ.pop(VARIABLE, "")
    if not numbers:
        return {}
    return {
        FIRST_DESCRIPTOR + index: int(number) for index, number in enumerate(numbers.split(","))
    }


def _is_connected(candidate: socket.socket) -> bool:
    try:
        candidate.getpeername()
    except OSError:
        return False
    return True
