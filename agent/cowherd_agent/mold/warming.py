"""How a mold is warmed up before it forks: requests are played, and the modules they load stay."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cowherd_agent.collection.request_counter import Interface
    from cowherd_agent.mold.herd_heap import HerdHeap
    from cowherd_agent.mold.supervisor_link import SupervisorLink


class WarmUp:
    """The warm-up of one mold. ``report`` gets its part of the status."""

    def __init__(
        self, link: SupervisorLink, app: Any, interface: Interface, cfg: Any, heap: HerdHeap
    ) -> None:
        self._link = link
        self._app = app
        self._interface: Interface = interface
        self._cfg = cfg
        self._heap = heap
        self.report: dict[str, Any] = {}
        self.answered: list[str] = []
        """Requests that the application answered."""

    def play(self) -> None:
        """Plays the requests of the setting ``warmup``, and again if the policy gains by it."""
        from cowherd_agent.heap import code_placement
        from cowherd_agent.warmup import rehearsal, warmup

        if self._app is None or not self._cfg.warmup:
            return
        requests: Sequence[str] = self._cfg.warmup
        started = time.perf_counter()
        results = []
        rehearsed = 0
        recorder = code_placement.Recorder()
        with recorder if self._heap.gathers_code else contextlib.nullcontext():
            for done, request in enumerate(requests):
                seconds = time.perf_counter() - started
                told = f"warming up: {warmup.parse_request(request).told}"
                self._link.progress("warmup", told, seconds, done, len(requests))
                results.extend(warmup.play(self._app, self._interface, [request]))
            self.answered = [
                request
                for request, result in zip(requests, results, strict=True)
                if result.error is None and result.status < 500
            ]
            if self._heap.gathers_code:
                rehearsed += self._rehearse(rounds=1)
        self.report["warmup"] = [result._asdict() for result in results]
        if recorder.codes:
            self.report["code"] = code_placement.gather(recorder.codes)._asdict()
        if self._heap.rehearses:
            rehearsed += self._rehearse(rehearsal.ROUNDS)
        seconds = time.perf_counter() - started
        played = len(requests) + rehearsed
        self._link.progress("warmup", "warmed up, requests", seconds, played, final=True)
        for result in results:
            if result.error is not None or result.status >= 400:
                why = result.error or f"status {result.status}"
                self._link.notice("warning", f"warm-up request {result.request} failed: {why}")

    @property
    def replay(self) -> Callable[[], None] | None:
        """Replays in a scout the requests answered here; None if there were none. Other requests
        may fail in the scout without being the policy's fault."""
        return self._replay if self.answered else None

    def _replay(self) -> None:
        """Raises RuntimeError for the first unanswered request."""
        from cowherd_agent.warmup import warmup

        for result in warmup.play(self._app, self._interface, self.answered):
            if result.error is not None or result.status >= 500:
                why = result.error or f"status {result.status}"
                raise RuntimeError(f"{result.request}: {why}")

    def _rehearse(self, rounds: int) -> int:
        from cowherd_agent.warmup import rehearsal

        try:
            return rehearsal.rehearse(self._app, self._interface, self.answered, self._cfg, rounds)
        except Exception as error:
            # Each was answered once; workers serve well without the repetition.
            why = f"{type(error).__name__}: {error}"
            self._link.notice("warning", f"warm-up requests could not be replayed: {why}")
            return 0
