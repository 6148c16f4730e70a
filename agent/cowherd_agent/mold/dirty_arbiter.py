"""gunicorn's dirty arbiter (the settings ``dirty_apps`` and ``dirty_workers`` of gunicorn 25 and
newer), as a mold starts it: a process beside the herd, which runs long tasks for workers.

gunicorn's own code is the arbiter; a guardian (dirty_guardian.py) is its parent. Both belong to the
mold and to all processes forked from it, which hold one end of a pipe, the lifeline: when the last
of them has gone, whatever ended it, the guardian ends the dirty arbiter. So the workers of an old
generation keep theirs for as long as they serve, a refork keeps it, and no supervisor is needed.

Workers find its socket by the environment, as gunicorn's client does (gunicorn/dirty/client.py,
get_dirty_socket_path).
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from select import POLLHUP, POLLIN, poll
from typing import TYPE_CHECKING, Any, NoReturn

from cowherd_agent.failures import MoldFailure

if TYPE_CHECKING:
    from cowherd_agent.mold.arbiter import MoldArbiter

SOCKET_VARIABLE = "GUNICORN_DIRTY_SOCKET"

# How long a mold that leaves waits for the guardian's word that it has seen the last end of the
# lifeline, and then for its end. The supervisor kills a mold 5 s after it was told to leave
# (src/supervisor/decisions/processes/stop-steps.ts).
_NOTICED_SECONDS = 0.5
_ENDED_SECONDS = 4.0

# How long the arbiter may take until its socket listens. Its workers load their applications later.
_STARTED_SECONDS = 60.0

_LONGEST_LINE_BYTES = 4096


class DirtyArbiter:
    """The mold's side. Without a dirty arbiter every call does nothing."""

    def __init__(
        self, pid: int | None = None, path: str = "", lifeline: int = -1, ending: int = -1
    ) -> None:
        self._pid = pid
        self._path = path
        self._lifeline = lifeline
        # Gets a byte when the guardian begins to end, and closes with it.
        self._ending = ending

    @property
    def descriptors(self) -> list[int]:
        """Those that every worker has on purpose."""
        return [] if self._pid is None else [self._lifeline, self._ending]

    @property
    def report(self) -> dict[str, Any]:
        if self._pid is None:
            return {}
        return {"dirty_arbiter": {"pid": self._pid, "socket": self._path}}

    def reopen_logs(self) -> None:
        if self._pid is None:
            return
        from cowherd_agent.mold.dirty_guardian import REOPEN_LOGS

        with contextlib.suppress(OSError):
            os.write(self._lifeline, REOPEN_LOGS)

    def let_go(self) -> None:
        """In a mold that leaves: waits for the end, unless others still have the lifeline."""
        if self._pid is None:
            return
        os.close(self._lifeline)
        look = poll()
        look.register(self._ending, POLLIN)
        if not look.poll(_NOTICED_SECONDS * 1000) or not os.read(self._ending, 1):
            return
        look.modify(self._ending, POLLHUP)
        look.poll(_ENDED_SECONDS * 1000)


def start_if_wanted(arbiter: MoldArbiter) -> DirtyArbiter:
    """Before the application is loaded: dirty workers load their own. Raises MoldFailure."""
    cfg = arbiter.cfg
    if "dirty_workers" not in cfg.settings or cfg.dirty_workers <= 0 or not cfg.dirty_apps:
        return DirtyArbiter()
    lifelines_end, lifeline = os.pipe()
    ending, ending_end = os.pipe()
    for stream in (sys.stdout, sys.stderr):
        # Text buffered at the fork would be written twice.
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.flush()
    between = os.fork()
    if between == 0:
        # Twice, so that the guardian outlives the mold as a child of the keeper.
        if os.fork() != 0:
            os._exit(0)
        os.close(lifeline)
        os.close(ending)
        _guard(arbiter, lifelines_end, ending_end)
    os.waitpid(between, 0)
    os.close(lifelines_end)
    os.close(ending_end)
    word, _, rest = _first_line(ending, _STARTED_SECONDS).partition(" ")
    if word != "ready":
        # The guardian, if it is there, ends with the lifeline.
        os.close(lifeline)
        os.close(ending)
        raise MoldFailure("INVALID_SETTING", f"dirty_apps: {rest or 'the dirty arbiter ended'}")
    pid, _, path = rest.partition(" ")
    os.environ[SOCKET_VARIABLE] = path
    return DirtyArbiter(int(pid), path, lifeline, ending)


def _guard(arbiter: MoldArbiter, lifeline: int, ending: int) -> NoReturn:
    try:
        from cowherd_agent.mold.dirty_guardian import guard

        guard(arbiter, lifeline, ending)
    except BaseException as error:
        with contextlib.suppress(OSError):
            text = " ".join(str(error).split()) or type(error).__name__
            os.write(ending, f"failed {text}\n".encode())
    finally:
        os._exit(1)


def _first_line(descriptor: int, seconds: float) -> str:
    """The first line of a pipe, or what there is of it at its end; a failure's line at the
    deadline."""
    line = b""
    deadline = time.monotonic() + seconds
    look = poll()
    look.register(descriptor, POLLIN)
    while not line.endswith(b"\n") and len(line) < _LONGEST_LINE_BYTES:
        if not look.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return f"failed the dirty arbiter has not started within {seconds:g} s"
        byte = os.read(descriptor, 1)
        if not byte:
            break
        line += byte
    return line.decode(errors="replace").strip()
