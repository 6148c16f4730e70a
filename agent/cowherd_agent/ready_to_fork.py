"""The last steps of a process that is about to fork workers, before its heap is prepared: a mold,
and a worker that has retired to become one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from cowherd_agent import fork_safety, warmup
from cowherd_agent.threads import RunningThread


def close_what_is_not_shared(arbiter: Any) -> list[str]:
    """Calls the before_mold hook, then closes what Cowherd knows by itself (Django's connections).

    Returns what that was, in words. What the hook raises ends the mold: it has not closed what it
    is there to close.
    """
    arbiter.cfg.before_mold(arbiter)
    return warmup.close_connections()


def tell_fork_safety(
    own_descriptors: Collection[int],
    running_threads: Sequence[RunningThread],
    warn: Callable[[str], None],
    refuse: Callable[[fork_safety.Verdict], None] = lambda _verdict: None,
) -> dict[str, Any]:
    """Looks for what a fork would share and must not; warns of each finding, unless ``refuse``
    raises.

    Returns the verdict as `report.fork_safety` has it.
    """
    verdict = fork_safety.verdict(own_descriptors, running_threads)
    refuse(verdict)
    for finding in verdict.findings:
        warn(f"Fork safety: {finding.line}")
    return verdict.as_dict()
