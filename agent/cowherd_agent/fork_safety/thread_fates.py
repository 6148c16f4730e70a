"""The fate of a mold's Python threads in the workers that are forked from it. Pure.

A fork copies none of them. The consequences differ:

=========  =====================================================================================
fate       a thread that …
=========  =====================================================================================
returns    was there again in a child: its library starts it after a fork (os.register_at_fork)
on use     its library starts again in a worker that needs it, since the process id has changed
mold only  is meant to run once: it keeps running in the mold, and workers do not need it
missing    workers lack; nobody here can tell whether they need it
breaks     workers are known to need, and to hang or lose work without it
=========  =====================================================================================
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from cowherd_agent.fork_safety.finding import Finding
from cowherd_agent.fork_safety.threads import RunningThread

Fate = Literal["returns", "on use", "mold only", "missing", "breaks"]


class KnownThread(NamedTuple):
    """Threads whose code or module begins with `prefix`; `consequence` follows "in a worker"."""

    prefix: str
    fate: Fate
    consequence: str


_KNOWN = (
    # Each of these compares os.getpid() before it hands work to its thread, and starts another
    # thread if the pid differs: sentry_sdk/worker.py and sessions.py (2.75),
    # elasticapm/utils/threading.py (6.23), pymongo/synchronous/topology.py (4.15),
    # posthog/client.py (7), newrelic/core/agent.py.
    KnownThread("sentry_sdk.", "on use", ""),
    KnownThread("elasticapm.", "on use", ""),
    KnownThread("pymongo.", "on use", ""),
    KnownThread("posthog.", "on use", ""),
    KnownThread("newrelic.", "on use", ""),
    # A queue forgets its thread after a fork (Lib/multiprocessing/queues.py, _after_fork).
    KnownThread("multiprocessing.queues.", "on use", ""),
    KnownThread("apscheduler.", "mold only", "no job is run: the scheduler's jobs run in the mold"),
    # A queue between processes: each worker's lines go to the thread of its own mold
    # (loguru/_handler.py, enqueue=True).
    KnownThread("loguru.", "mold only", "lines are handed to the mold, whose thread writes them"),
    KnownThread(
        "multiprocessing.pool.",
        "breaks",
        "a call to the pool waits for ever: its threads are not there",
    ),
    KnownThread(
        "concurrent.futures.thread.",
        "breaks",
        "what is submitted to the pool waits for a thread that is not there",
    ),
    KnownThread(
        "logging.handlers.QueueListener.",
        "breaks",
        "log records stay in the queue: the listener's thread is not there",
    ),
    KnownThread(
        "psycopg_pool.",
        "breaks",
        "the pool's connections are those of all other workers, and none is replaced",
    ),
    KnownThread(
        "ldclient.",
        "breaks",
        "flags are no longer updated (ldclient.get().postfork() in post_fork starts that again)",
    ),
)


class ThreadFate(NamedTuple):
    """`consequence` is empty if workers are not affected."""

    thread: RunningThread
    fate: Fate
    consequence: str

    @property
    def stays_in_mold(self) -> bool:
        """Whether the thread does something in the mold that no worker does."""
        return self.fate in ("mold only", "missing")

    def as_dict(self) -> dict[str, str]:
        """For the mold's report: `report.threads` of the status."""
        return {
            "name": self.thread.name,
            "module": self.thread.module,
            "started_at": self.thread.started_at,
            "fate": self.fate,
        }


def judge(
    threads: Sequence[RunningThread], in_child: Iterable[RunningThread] | None
) -> list[ThreadFate]:
    """The fate of each thread, in their order.

    Args:
        threads: the mold's threads.
        in_child: threads found in a child of the mold just after the fork; None if unknown.
    """
    returned = Counter(thread.code for thread in in_child or ())
    fates = []
    for thread in threads:
        if returned[thread.code] > 0:
            returned[thread.code] -= 1
            fates.append(ThreadFate(thread, "returns", ""))
        else:
            known = _known(thread)
            fates.append(
                ThreadFate(thread, "missing", "")
                if known is None
                else ThreadFate(thread, known.fate, known.consequence)
            )
    return fates


def find(fates: Sequence[ThreadFate]) -> list[Finding]:
    """Findings for the threads that somebody has to decide about or fix."""
    return [
        Finding("thread", _what(fate), _REMEDIES[fate.fate], fate.fate == "breaks")
        for fate in fates
        if fate.fate in _REMEDIES
    ]


_REMEDIES = {
    "missing": (
        "if workers need it, start it in the post_worker_init hook; if not, --allow-threads says so"
    ),
    "breaks": (
        "start it in the post_worker_init hook, or stop it in before_mold;"
        " --allow-threads if workers do not use it"
    ),
}


def _what(fate: ThreadFate) -> str:
    if fate.fate == "missing":
        return f"{fate.thread.description}, runs in the mold, and in no worker"
    return f"{fate.thread.description}: in a worker {fate.consequence}"


def _known(thread: RunningThread) -> KnownThread | None:
    for known in _KNOWN:
        if thread.code.startswith(known.prefix) or thread.module.startswith(known.prefix):
            return known
    return None
