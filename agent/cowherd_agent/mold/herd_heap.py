"""A mold's heap policy, from its choice to its use in workers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cowherd_agent.collection import guard as guard_module
from cowherd_agent.collection.collector import Collector, CollectorSettings, collection_watch
from cowherd_agent.collection.guard import GuardCall
from cowherd_agent.collection.request_counter import REQUEST_COUNTER
from cowherd_agent.failures import MoldFailure
from cowherd_agent.heap.report import ProgressEvent
from cowherd_agent.interpreter.errors import PolicyUnavailable
from cowherd_agent.interpreter.interpreter import available_policies, identify, why_not
from cowherd_agent.interpreter.ladder_table import RUNGS
from cowherd_agent.policies import HeapPolicy, make
from cowherd_agent.policies.ladder import AUTO, resolve
from cowherd_agent.wire.channel import Channel
from cowherd_agent.wire.scoreboard import Slot

if TYPE_CHECKING:
    from cowherd_agent.mold.supervisor_link import SupervisorLink
    from cowherd_agent.wire.command_types import Remark

SCOUT_TIMEOUT_SECONDS = 60.0

QUIET_SECONDS = 0.5
"""Steps shorter than this appear in the report only."""


class HerdHeap:
    """Chooses a policy, prepares the mold's heap, and applies the policy in workers.

    ``remarks`` says for each policy above the chosen one why it is not used. ``report`` is plain
    data: the seconds and bytes of every step, and the scout's findings.
    """

    def __init__(
        self,
        asked: str,
        guard_mode: guard_module.GuardMode,
        collect_after: int,
        rejected: Sequence[Remark] = (),
    ) -> None:
        interpreter = identify()
        self.asked = asked
        self.remarks: list[Remark] = list(rejected)
        self.report: dict[str, Any] = {}
        self._collect_after = collect_after
        rejected_names = {each["policy"] for each in rejected}
        try:
            candidates = [
                name for name in resolve(asked, interpreter) if name not in rejected_names
            ]
        except PolicyUnavailable as unavailable:
            raise MoldFailure("POLICY_UNAVAILABLE", str(unavailable)) from unavailable
        if asked == AUTO:
            for name in RUNGS:
                reason = why_not(name, interpreter)
                if reason is not None:
                    self.remarks.append({"policy": name, "reason": reason})
        self._policy = self._first_that_works(candidates)
        self._guard = guard_module.install(guard_mode, self.policy_name, armed=False)

    @property
    def policy_name(self) -> str:
        return self._policy.name

    @property
    def leaves_without_finalization(self) -> bool:
        return self._policy.leaves_without_finalization

    @property
    def gathers_code(self) -> bool:
        return self._policy.gathers_code

    @property
    def rehearses(self) -> bool:
        return self._policy.rehearses

    def before_load(self) -> None:
        """Call in the mold before the application is imported."""
        self._policy.before_load()

    def leave_worker(self) -> None:
        """Call in a worker that is to be a mold: undoes what `applier` did, but for the thresholds,
        which a mold has too."""
        REQUEST_COUNTER.bind(None, None)
        self._guard.disarm()
        collection_watch().remove()

    def prepare(self, link: SupervisorLink, warmup: Callable[[], None] | None) -> str | None:
        """Prepares the mold's heap. Under ``auto`` a scout then tries it. A returned string says
        why the policy must not be used; the mold must then start again without it.

        In a mold that was a worker this is called a second time, for new objects.
        """
        self.report = {}
        try:
            report = self._policy.prepare(_events_to(link))
        except PolicyUnavailable as unavailable:
            if self.asked == AUTO:
                return str(unavailable)
            raise MoldFailure("POLICY_UNAVAILABLE", str(unavailable)) from unavailable
        self.report["heap"] = report.as_dict()
        objects = max((step.counts.get("objects", 0) for step in report.steps), default=0)
        link.progress(
            "heap",
            f"prepared the heap ({self.policy_name}){', objects' if objects else ''}",
            report.seconds,
            objects,
            final=True,
        )
        if self.asked != AUTO or self.policy_name == "stock":
            return None
        from cowherd_agent.policies.scout import run_scout

        link.progress("scout", "trying the heap policy in a scout", 0.0)
        verdict = run_scout(
            promises=self._policy.promises,
            warmup=warmup,
            timeout_seconds=SCOUT_TIMEOUT_SECONDS,
            after_fork=self._policy.after_fork,
        )
        link.progress(
            "scout",
            f"a scout {'confirmed' if verdict.ok else 'rejected'} the heap policy",
            verdict.seconds,
            final=True,
        )
        self.report["scout"] = {
            "ok": verdict.ok,
            "reason": verdict.reason,
            "unshared_bytes": verdict.unshared_bytes,
            "shared_at_fork_bytes": verdict.shared_at_fork_bytes,
            "seconds": verdict.seconds,
        }
        return None if verdict.ok else verdict.reason

    def apply_on_trial(self) -> None:
        """Applies the policy in a child that tries out a worker's life."""
        self._policy.after_fork()

    def applier(self, channel: Channel) -> Callable[[Slot], None]:
        """Returns the function by which a new worker applies the policy."""

        def apply(slot: Slot) -> None:
            settings = CollectorSettings(collect_after=max(1, self._collect_after), slot=slot)
            collector: Collector | None = self._policy.after_fork(settings)
            if collector is None:
                collection_watch().install(slot)
            REQUEST_COUNTER.bind(slot.words, collector if self._collect_after > 0 else None)

            def report(call: GuardCall) -> None:
                channel.send_if_possible(
                    {
                        "type": "guard",
                        "function": call.function,
                        "package": call.package,
                        "file": call.file,
                        "line": call.line,
                        "held": call.held,
                    }
                )

            self._guard.arm(self.policy_name, on_call=report, slot=slot)

        return apply

    def _first_that_works(self, candidates: Sequence[str]) -> HeapPolicy:
        for name in candidates:
            policy = make(name)
            try:
                policy.self_test()
            except PolicyUnavailable as unavailable:
                if self.asked != AUTO:
                    raise MoldFailure("POLICY_UNAVAILABLE", str(unavailable)) from unavailable
                self.remarks.append({"policy": name, "reason": str(unavailable)})
                continue
            return policy
        can = ", ".join(available_policies(identify())) or "none"
        raise MoldFailure(
            "POLICY_UNAVAILABLE",
            f"no heap policy works: {json.dumps(self.remarks)}; this interpreter has {can}",
        )


def _events_to(link: SupervisorLink) -> Callable[[ProgressEvent], None]:
    started = time.perf_counter()

    def forward(event: ProgressEvent) -> None:
        # A small heap is done before anybody could read this.
        if time.perf_counter() - started < QUIET_SECONDS:
            return
        link.progress(
            "heap",
            f"preparing the heap, {event.step}",
            event.seconds,
            event.done,
            event.total,
        )

    return forward
