"""Which threads come back in a child: a child is forked, and looks.

That is the only way to know: libraries register what is to be done after a fork
(os.register_at_fork), and nobody can ask what they have registered.
"""

from __future__ import annotations

from collections.abc import Sequence

from cowherd_agent import threads
from cowherd_agent.forked_child import Tell, run_in_child
from cowherd_agent.threads import RunningThread

TIMEOUT_SECONDS = 10.0


class LookFailed(Exception):
    """The child did not come back; says why."""


def threads_in_child(running: Sequence[RunningThread]) -> list[RunningThread]:
    """Forks a child of this process, and returns the threads that it has. Raises LookFailed.

    No child is forked where this process has no other threads.
    """
    if not running:
        return []
    outcome = run_in_child(_look, TIMEOUT_SECONDS)
    fault = outcome.fault("child that looks for threads", TIMEOUT_SECONDS)
    if fault:
        raise LookFailed(fault)
    return [RunningThread(**each) for each in outcome.found["threads"]]


def _look(tell: Tell) -> None:
    # What is registered for a fork has been done by now, in this thread.
    tell(step="look for threads")
    tell(threads=[thread._asdict() for thread in threads.running()])
