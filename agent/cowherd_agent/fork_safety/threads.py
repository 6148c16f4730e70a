"""Threads: a fork copies only the one that forks."""

from __future__ import annotations

from collections.abc import Sequence

from cowherd_agent.fork_safety.finding import Finding
from cowherd_agent.threads import RunningThread, native_threads

_REMEDY = "it does not exist in workers: start it in the post_worker_init hook"


def find(running: Sequence[RunningThread]) -> list[Finding]:
    findings = [
        Finding("thread", f"thread {each.name!r}, started at {each.started_at}", _REMEDY)
        for each in running
    ]
    native = native_threads() - 1 - len(running)
    if native > 0:
        findings.append(
            Finding(
                "native threads",
                f"{native} native thread(s), of a library in C",
                "they do not exist in workers: let the library start them there, or have it use"
                " one thread while the application loads (OMP_NUM_THREADS=1, say)",
            )
        )
    return findings
