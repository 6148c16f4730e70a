"""cycles.py MODE: 20,000 requests, each of which leaves cyclic garbage.

MODE: collector (freeze's own collector after each request), none (automatic collection is off and
nothing collects), threads (like collector, from four threads).
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from cowherd_agent.collection.collector import Collector, CollectorSettings, collection_watch
from cowherd_agent.interpreter import rollup
from cowherd_agent.policies import make
from herdlike import Application, finish, in_child

REQUESTS = 20_000
mode = sys.argv[1]


class Node:
    def __init__(self) -> None:
        self.me = self
        self.payload = bytearray(2000)


class Session:
    """Lives for some requests, so that its cycle dies in an older generation."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.nodes = [Node()]
        self.nodes[0].owner = self  # type: ignore[attr-defined]


def request(number: int, sessions: list[Any]) -> None:
    for _ in range(3):
        Node()
    sessions.append(Session(number))
    if len(sessions) > 3000:
        del sessions[:1500]


def serve(collector: Collector | None, requests: int, in_flight: int = 0) -> None:
    sessions: list[Any] = []
    for number in range(requests):
        request(number, sessions)
        if collector is not None:
            collector.request_finished(in_flight)


policy = make("freeze")
policy.before_load()
application = Application(20)
policy.prepare()


def child() -> dict[str, Any]:
    collector = policy.after_fork(CollectorSettings(collect_after=2000))
    assert collector is not None
    before = rollup.anonymous_bytes()
    if mode == "threads":
        threads = [
            threading.Thread(target=serve, args=(collector, REQUESTS // 4, 1)) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    else:
        serve(None if mode == "none" else collector, REQUESTS)
    grown = rollup.anonymous_bytes() - before
    return {
        "grown": grown,
        "collections": collector.collections,
        "freed": collector.objects_freed,
        "seconds": collector.collections_seconds,
        "inside": collection_watch().collections_inside,
        "idle_ns": idle_ns(collector.request_finished),
        "call_ns": idle_ns(nothing_of_the_kind),
    }


def nothing_of_the_kind() -> float:
    """The cheapest function that can check whether something is due: other costs are measured in
    calls of it."""
    return time.monotonic()


def idle_ns(function: Callable[[], object]) -> float:
    """What one call takes, by the quickest of many rounds, which excludes the machine's other
    work.
    """
    loops = 2000
    rounds = []
    for _ in range(100):
        started = time.perf_counter()
        for _ in range(loops):
            function()
        rounds.append((time.perf_counter() - started) / loops)
    return min(rounds) * 1e9


finish(in_child(child))
