"""The last steps before the heap is prepared, in a process that is about to fork workers: a mold,
or a worker that has retired to become one."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from cowherd_agent import clients, fork_safety
from cowherd_agent.failures import MoldFailure
from cowherd_agent.fork_safety import Advisory, Threads, Verdict
from cowherd_agent.mold.hooks import run_hook
from cowherd_agent.warmup import warmup

_OF_THREADS = frozenset(("thread", "native threads"))
"""Kinds of findings that the setting allow_threads covers."""


def close_what_is_not_shared(
    arbiter: Any, own_descriptors: Collection[int], advisory: Advisory
) -> list[str]:
    """Calls the before_mold hook, then closes the connections that Cowherd knows: Django's, and
    those of clients that reopen them.

    Returns what was closed, in words. An exception of the hook ends the mold, since the hook has
    not closed what it is there to close.
    """
    run_hook("before_mold", arbiter.cfg.before_mold, arbiter)
    django = advisory.attempt("closing Django's connections", warmup.close_connections)
    return [*(django or ()), *clients.close_known(own_descriptors, advisory)]


def look(
    arbiter: Any,
    own_descriptors: Collection[int],
    advisory: Advisory,
    found: Threads,
    refuse: Callable[[Any, Verdict], None],
) -> Verdict:
    """Looks for what a fork would share and must not. Raises MoldFailure where `refuse` does."""
    verdict = fork_safety.verdict(own_descriptors, advisory, found)
    if arbiter.cfg.allow_threads:
        findings = [each for each in verdict.findings if each.kind not in _OF_THREADS]
        verdict = verdict._replace(findings=findings, breaks=[])
    refuse(arbiter.cfg, verdict)
    return verdict


def refuse(cfg: Any, verdict: Verdict) -> None:
    """In a mold that has loaded the application: raises MoldFailure for findings that are known to
    break and, with the setting strict, for any finding."""
    if verdict.breaks:
        raise MoldFailure("APP_LEFT_THREADS", "; ".join(verdict.breaks))
    if cfg.strict and verdict.findings:
        is_of_threads = all(finding.kind in _OF_THREADS for finding in verdict.findings)
        raise MoldFailure(
            "APP_LEFT_THREADS" if is_of_threads else "FORK_UNSAFE",
            "; ".join(finding.line for finding in verdict.findings),
        )
