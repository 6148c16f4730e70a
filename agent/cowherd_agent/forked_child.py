"""A child that does something for its mold, and reports the result: a scout, a canary.

It is killed at its deadline, and ends with its mold. What it writes to its pipe is kept even if it
crashes. Each step is announced before it starts, so that a crash has a name.
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
from typing import Any, Final, NamedTuple, NoReturn, Protocol

from cowherd_agent.exit_status import FLUSH_FAILED

_PR_SET_PDEATHSIG = 1
"""include/uapi/linux/prctl.h"""


class Tell(Protocol):
    """Sends values to the mold; `step` names the next step, as an infinitive."""

    def __call__(self, **found: object) -> None: ...


LEAVES: Final = "leave"
"""The step of a child that ends as a worker does (leaving/leaving.py)."""


class Outcome(NamedTuple):
    """
    Attributes:
        found: all that the child has told, later values over earlier ones.
        status: as of os.waitstatus_to_exitcode; None if it was killed at its deadline.
        seconds: from the fork to its end.
    """

    found: dict[str, Any]
    status: int | None
    seconds: float

    def fault(self, who: str, timeout_seconds: float) -> str:
        """Why it did not end well; empty if it did."""
        step = self.found.get("step", "start")
        if self.status is None:
            return f"the {who} did not end within {timeout_seconds:g} s (while trying to {step})"
        if self.status < 0:
            name = _signal_name(-self.status)
            return f"the {who} was killed by {name} (while trying to {step})"
        if "error" in self.found:
            return f"the {who} failed to {step}: {self.found['error']}"
        if self.status == FLUSH_FAILED and step == LEAVES:
            # Its output is lost, as for every process here once the terminal is gone.
            return ""
        if self.status != 0:
            return f"the {who} exited with status {self.status} (while trying to {step})"
        return ""


class Child:
    """A forked child that runs `life`.

    Its status is 0 when `life` returns, and 1 when it raises; the exception is told as `error`. No
    atexit hook runs in it, unless `life` runs those that it registered itself.
    """

    def __init__(self, life: Callable[[Tell], object], timeout_seconds: float) -> None:
        self._started = time.perf_counter()
        self._deadline = self._started + timeout_seconds
        self._timed_out = False
        self._written = bytearray()
        self._has_said_all = False
        self._reader, writer = os.pipe()
        for stream in (sys.stdout, sys.stderr):
            # Text buffered at the fork would be written twice.
            with contextlib.suppress(AttributeError, OSError, ValueError):
                stream.flush()
        mold_pid = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._reader)
            _die_with(mold_pid)
            _live(writer, life)
        os.close(writer)
        os.set_blocking(self._reader, False)
        self._ended = os.pidfd_open(self._pid)

    def _left_ms(self) -> int | None:
        """Milliseconds to the deadline, the longest wait before the next `_advance`; None once the
        child has been killed at its deadline."""
        if self._timed_out:
            return None
        return max(0, round((self._deadline - time.perf_counter()) * 1000))

    def _advance(self) -> Outcome | None:
        """Does pending work without waiting; returns the outcome once the child has ended."""
        poll = select.poll()
        poll.register(self._ended, select.POLLIN)
        has_ended = bool(poll.poll(0))
        if not has_ended and self._left_ms() == 0:
            self._timed_out = True
            os.kill(self._pid, signal.SIGKILL)
        # The end of the pipe is no sign: a process that the child started may hold it open.
        self._read()
        if not has_ended:
            return None
        _, status = os.waitpid(self._pid, 0)
        os.close(self._reader)
        os.close(self._ended)
        found: dict[str, Any] = {}
        for line in self._written.splitlines():
            found.update(json.loads(line))
        seconds = time.perf_counter() - self._started
        return Outcome(
            found, None if self._timed_out else os.waitstatus_to_exitcode(status), seconds
        )

    def wait(self) -> Outcome:
        while (outcome := self._advance()) is None:
            poll = select.poll()
            poll.register(self._ended, select.POLLIN)
            if not self._has_said_all:
                poll.register(self._reader, select.POLLIN)
            poll.poll(self._left_ms())
        return outcome

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._reader, 65536):
                self._written += data
            # Closed by every process that had it.
            self._has_said_all = True


def run_in_child(life: Callable[[Tell], object], timeout_seconds: float) -> Outcome:
    """Forks a child that runs `life`, and waits for its end."""
    return Child(life, timeout_seconds).wait()


def _live(writer: int, life: Callable[[Tell], object]) -> NoReturn:
    def tell(**found: object) -> None:
        os.write(writer, json.dumps(found).encode() + b"\n")

    # The application's own hooks (sign off somewhere, remove a folder made at import) are for the
    # application's end, and it has not begun to serve.
    atexit._clear()
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        life(tell)
    except BaseException as error:
        text = str(error).strip().splitlines()
        tell(error=f"{type(error).__name__}: {text[0]}" if text else type(error).__name__)
        # This child must end here even if stderr can't be written to.
        with contextlib.suppress(OSError, ValueError):
            traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _die_with(mold_pid: int) -> None:
    """A mold that is stopped while it waits for its child takes the child with it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != mold_pid:
        os._exit(1)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
