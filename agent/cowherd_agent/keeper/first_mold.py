"""The first two processes of a herd, out of one start of the interpreter.

The supervisor starts one process, which forks at once. The child becomes the first mold, whose
interpreter is up already. The parent becomes the keeper by exec, so that the mold is the keeper's
child. Otherwise the mold, which has all the work, would wait for two interpreters.

Imports next to nothing.
"""

from __future__ import annotations

import _socket
import os
import sys

from cowherd_agent.keeper import inherited
from cowherd_agent.keeper.mold_process import MOLD_DESCRIPTOR
from cowherd_agent.places import LAUNCHER


def become(arguments: list[str]) -> list[str]:
    """Returns in the mold, with gunicorn's own arguments; the parent becomes the keeper.

    The first of ``arguments`` is the path of the keeper's adoption socket; the others are
    gunicorn's. The keeper runs isolated and without site (``-I -S``): it needs the standard library
    only, and stays small. Its arguments are that path, the mold's pid and the descriptor of its
    socket to the mold.
    """
    socket_path, *gunicorns = arguments
    keepers_end, molds_end = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid != 0:
        os.set_inheritable(keepers_end.fileno(), True)
        keeper = [sys.executable, "-I", "-S", LAUNCHER, "keeper"]
        os.execv(sys.executable, [*keeper, socket_path, str(pid), str(keepers_end.fileno())])
    # This descriptor was the supervisor's socket, which only the keeper may have.
    os.dup2(molds_end.fileno(), MOLD_DESCRIPTOR)
    molds_end.close()
    keepers_end.close()
    inherited.drop()
    return gunicorns
