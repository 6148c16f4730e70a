"""Starts a mold's process, with one end of a packet socket as its descriptor 3."""

from __future__ import annotations

import _socket
import errno
import os

MOLD_DESCRIPTOR = 3

# Ignored or handled by the keeper; a mold starts with the kernel's defaults (signal(7)). HUP, INT,
# QUIT, TERM and CHLD have these numbers on every Linux architecture but Alpha, SPARC and MIPS. Only
# CHLD differs there, whose default is to be ignored.
_DEFAULT_SIGNALS = (1, 2, 3, 15, 17)


def spawn(
    python: str,
    launcher: str,
    arguments: list[str],
    environment: dict[str, str] | None = None,
) -> tuple[int, int]:
    """Starts a mold in the interpreter ``python``, with gunicorn's ``arguments``.

    ``launcher`` is the launch.py of the supervisor's own version: this process may be of an older
    version, whose folder may be gone. ``environment`` is added to this process's own. Returns the
    mold's pid and the descriptor of the keeper's end of its socket. Raises OSError.
    """
    if not os.path.exists(launcher):
        # The interpreter would report it only in the log of the process that started the keeper.
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), launcher)
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    try:
        pid = os.posix_spawn(
            python,
            [python, launcher, "mold", *arguments],
            {**os.environ, **(environment or {})},
            file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), MOLD_DESCRIPTOR)],
            setsigdef=_DEFAULT_SIGNALS,
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return pid, ours.detach()
