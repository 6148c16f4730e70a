"""A child that tries something for its mold, and is waited for: a scout, a canary.

It is killed when its time is up, and ends with its mold. What it says on its pipe is kept even if
it crashes; each step is announced before it starts, so that a crash has a name.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn, Protocol

_PR_SET_PDEATHSIG = 1
"""include/uapi/linux/prctl.h"""


class Tell(Protocol):
    """Sends values to the mold; `step` says what is done next, as an infinitive."""

    def __call__(self, **found: object) -> None: ...


class Outcome(NamedTuple):
    """
    Attributes:
        found: all that the child has told, later values over earlier ones.
        status: as of os.waitstatus_to_exitcode; None if it was killed because time was up.
        seconds: from the fork to its end.
    """

    found: dict[str, Any]
    status: int | None
    seconds: float

    def fault(self, who: str, timeout_seconds: float) -> str:
        """Why it did not end well, or nothing."""
        step = self.found.get("step", "start")
        if self.status is None:
            return f"the {who} did not end within {timeout_seconds:g} s (it was to {step})"
        if self.status < 0:
            name = _signal_name(-self.status)
            return f"the {who} was killed by {name} (it was to {step})"
        if "error" in self.found:
            return f"the {who} failed to {step}: {self.found['error']}"
        if self.status != 0:
            return f"the {who} left with status {self.status} (it was to {step})"
        return ""


def run_in_child(life: Callable[[Tell], object], timeout_seconds: float) -> Outcome:
    """Forks a child that lives `life`, and waits for its end.

    The child's status is 0 when `life` returns, 1 when it raises, which is told as `error`. No
    atexit hook runs in it, unless `life` runs those that it has registered.
    """
    started = time.perf_counter()
    reader, writer = os.pipe()
    for stream in (sys.stdout, sys.stderr):
        # What is buffered at the fork would be written twice.
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.flush()
    mold_pid = os.getpid()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _die_with(mold_pid)
        _live(writer, life)
    os.close(writer)
    try:
        found, status = _wait(pid, reader, started + timeout_seconds)
    finally:
        os.close(reader)
    return Outcome(found, status, time.perf_counter() - started)


def _live(writer: int, life: Callable[[Tell], object]) -> NoReturn:
    def tell(**found: object) -> None:
        os.write(writer, json.dumps(found).encode() + b"\n")

    # The application's own hooks (sign off somewhere, remove a folder made at import) are for its
    # end, and it has not begun to serve.
    atexit._clear()
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        life(tell)
    except BaseException as error:
        traceback.print_exc()
        text = str(error).strip().splitlines()
        tell(error=f"{type(error).__name__}: {text[0]}" if text else type(error).__name__)
        os._exit(1)
    os._exit(0)


def _die_with(mold_pid: int) -> None:
    """A mold that is stopped while it waits for its child takes the child along."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != mold_pid:
        os._exit(1)


def _wait(pid: int, reader: int, deadline: float) -> tuple[dict[str, Any], int | None]:
    """What the child wrote, and its exit status; None if it had to be killed because time was up.

    The pipe's end does not tell: a process that the child started may hold it open.
    """
    os.set_blocking(reader, False)
    written = bytearray()
    timed_out = False
    ended = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(reader, select.POLLIN)
    try:
        while True:
            left_ms = max(0, round((deadline - time.perf_counter()) * 1000))
            ready = [descriptor for descriptor, _ in poll.poll(None if timed_out else left_ms)]
            if not ready and not timed_out:
                timed_out = True
                os.kill(pid, signal.SIGKILL)
            if reader in ready or ended in ready:
                with contextlib.suppress(BlockingIOError):
                    while data := os.read(reader, 65536):
                        written += data
                    # Its end: closed by every process that had it.
                    poll.modify(reader, 0)
            if ended in ready:
                break
    finally:
        os.close(ended)
    _, status = os.waitpid(pid, 0)
    found: dict[str, Any] = {}
    for line in written.splitlines():
        found.update(json.loads(line))
    return found, None if timed_out else os.waitstatus_to_exitcode(status)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
