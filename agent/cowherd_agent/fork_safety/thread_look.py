"""Finds out which Python and library threads come back in a child, by forking one that looks.

There is no other way to know: libraries register actions for after a fork (os.register_at_fork),
and nobody can ask what they registered.
"""

from __future__ import annotations

from typing import NamedTuple

from cowherd_agent.fork_safety import threads
from cowherd_agent.fork_safety.native_threads import NativeThread, native_threads
from cowherd_agent.fork_safety.threads import RunningThread
from cowherd_agent.forked_child import Tell, run_in_child

TIMEOUT_SECONDS = 10.0


class LookFailed(Exception):
    """The child gave no answer; says why."""


class ThreadsInChild(NamedTuple):
    """The threads that a child had just after its fork."""

    of_python: list[RunningThread]
    native: list[NativeThread]


def threads_in_child() -> ThreadsInChild:
    """Forks a child of this process, and returns the child's threads. Raises LookFailed."""
    outcome = run_in_child(_look, TIMEOUT_SECONDS)
    fault = outcome.fault("child that looks for threads", TIMEOUT_SECONDS)
    if fault:
        raise LookFailed(fault)
    return ThreadsInChild(
        [RunningThread(**each) for each in outcome.found["threads"]],
        [NativeThread(**each) for each in outcome.found["native"]],
    )


def _look(tell: Tell) -> None:
    # Actions registered for after a fork have run by now, in this thread.
    tell(step="look for threads")
    tell(
        threads=[thread._asdict() for thread in threads.running()],
        native=[thread._asdict() for thread in native_threads()],
    )
