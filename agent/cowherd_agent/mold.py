"""The mold: one generation of the application, which forks workers on command."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from cowherd_agent import merging, process_name, retiring
from cowherd_agent.census_scout import FILE_PREFIX, CensusScout
from cowherd_agent.channel import Channel
from cowherd_agent.failures import MoldFailure
from cowherd_agent.forking import Forking
from cowherd_agent.heap import rawgc
from cowherd_agent.hooks import run_hook
from cowherd_agent.leaving import leave
from cowherd_agent.loading import Configured, configure, load, say_configured
from cowherd_agent.messages import Message
from cowherd_agent.or_end import or_end
from cowherd_agent.orders import receive_order, start_again
from cowherd_agent.schedulers import Schedulers
from cowherd_agent.supervisor_link import SupervisorLink
from cowherd_agent.warming import WarmUp

if TYPE_CHECKING:
    from cowherd_agent.fork_safety import Advisory, Verdict
    from cowherd_agent.retiring import Retirement
    from cowherd_agent.worker_start import WorkerStart

CHANNEL_DESCRIPTOR = 3
NAME = "cowherd-mold"

# How long threads may take that are about to end: asgiref ends one with another one, after each
# request (asgiref/sync.py, ThreadSensitiveContext).
THREADS_END_SECONDS = 0.5

# In a mold whose threads go on, once in a while and where there may be something to collect.
COLLECT_EVERY_SECONDS = 60.0
COLLECT_FROM_OBJECTS = 10_000


class Mold:
    """One generation of the application, from its loading to its end."""

    def __init__(
        self,
        link: SupervisorLink,
        order: dict[str, Any],
        arguments: Sequence[str],
        configured: Configured,
    ) -> None:
        self._link = link
        self._order = order
        self._arguments = arguments
        self._application, self._arbiter, self._heap, self._settings = configured
        self._forking = Forking(link, self._arbiter, self._heap, keeper_pid=os.getppid())
        # While one takes a census.
        self._scout: CensusScout | None = None
        # How many threads of the application do something here that no worker does.
        self._threads = 0
        self._schedulers = Schedulers()
        process_name.set_title(NAME, f"mold [{self._arbiter.cfg.proc_name}]")

    @property
    def _generation(self) -> int:
        generation: int = self._order["generation"]
        return generation

    # Getting ready

    def or_end(self, work: Callable[[], None]) -> None:
        """Does the work; what goes wrong is told to the supervisor, and ends the mold."""
        or_end(self._link, self._order["occasion"], work)

    def prepare(self) -> None:
        """Everything from the settings to the first fork. Raises MoldFailure."""
        load(self._link, self._application, self._arbiter, self._heap)
        cfg, arbiter = self._arbiter.cfg, self._arbiter
        is_first = self._order["occasion"] == "first"
        if is_first:
            run_hook("on_starting", cfg.on_starting, arbiter)
        self._receive_listeners()
        if hasattr(arbiter.worker_class, "check_config"):
            arbiter.worker_class.check_config(cfg, arbiter.log)
        # gunicorn calls these two once, when it starts, and on_reload at each reload.
        if is_first:
            run_hook("when_ready", cfg.when_ready, arbiter)
        else:
            run_hook("on_reload", cfg.on_reload, arbiter)
        self._prepare_heap()

    def _prepare_heap(self) -> None:
        from cowherd_agent import fork_safety, ready_to_fork

        app, interface = self._application.original, self._application.interface
        warm_up = WarmUp(self._link, app, interface, self._arbiter.cfg, self._heap)
        warm_up.play()
        own, advisory = self._own_descriptors(), self._advisory()
        closed = ready_to_fork.close_what_is_not_shared(self._arbiter, own, advisory)
        if closed and warm_up.answered:
            self._link.notice("info", f"closed before the fork: {', '.join(closed)}")
        found = fork_safety.look_at_threads(advisory, THREADS_END_SECONDS)
        verdict = ready_to_fork.look(self._arbiter, own, advisory, found, ready_to_fork.refuse)
        report = warm_up.report
        self._tell_fork_safety(verdict, report)
        rejection = self._heap.prepare(self._link, warmup=warm_up.replay)
        if rejection is not None:
            self._start_without_policy(rejection)
        self._try_and_say_ready(report)

    def _try_and_say_ready(self, report: dict[str, Any]) -> None:
        """A canary, where one is wanted, then `mold_ready`. Raises MoldFailure."""
        from cowherd_agent import canary

        if canary.is_wanted(self._order["occasion"], self._arbiter.cfg.health):
            report["canary"] = self._send_canary()
        self._link.send(
            {
                "type": "mold_ready",
                "policy": self._heap.policy_name,
                "asked_policy": self._arbiter.cfg.heap_policy,
                "remarks": self._heap.remarks,
                "report": {**self._heap.report, **report},
                "modules": len(sys.modules),
                "threads": self._threads,
            }
        )

    def _tell_fork_safety(self, verdict: Verdict, report: dict[str, Any]) -> None:
        report["fork_safety"] = verdict.as_dict()
        self._threads = verdict.threads_of_the_mold
        for finding in verdict.findings:
            self._link.notice("warning", f"Fork safety: {finding.line}")
        for fate in verdict.threads:
            if fate.fate == "mold only":
                what = fate.thread.description
                self._link.notice("info", f"Fork safety: {what}: in a worker {fate.consequence}")

    def _advisory(self) -> Advisory:
        from cowherd_agent.fork_safety import Advisory

        return Advisory(lambda text: self._link.notice("warning", text), self._arbiter.log.debug)

    def _own_descriptors(self) -> list[int]:
        """What every worker has on purpose."""
        listeners = [listener.sock.fileno() for listener in self._arbiter.LISTENERS]
        return [self._link.channel.fileno(), *listeners]

    def _send_canary(self) -> dict[str, Any]:
        from cowherd_agent import canary

        app, interface = self._application.original, self._application.interface
        verdict = canary.send(self._heap, self._arbiter, app, interface)
        if verdict.reason:
            raise MoldFailure("CANARY_FAILED", verdict.reason)
        if verdict.warning:
            self._link.notice("warning", f"Canary: {verdict.warning}")
        self._link.progress("canary", "a canary came back well", verdict.seconds, final=True)
        return {"seconds": verdict.seconds, "warning": verdict.warning or None}

    def _start_without_policy(self, rejection: str) -> NoReturn:
        policy = self._heap.policy_name
        self._link.send({"type": "policy_rejected", "policy": policy, "reason": rejection})
        # The keeper still has them, and gives them again when the new start is configured.
        for listener in self._arbiter.LISTENERS:
            listener.close()
        start_again(self._order, self._arguments, self._link.channel, policy, rejection)

    # A worker that becomes a mold

    def become_mold_again(self, start: WorkerStart, retirement: Retirement) -> None:
        """In a worker that has retired: sheds the worker, and waits for the order of a mold."""
        self._heap.leave_worker()
        try:
            retiring.shed(start, retirement)
        except OSError:
            # The keeper is gone, and with it every listener.
            self._leave(1)
        process_name.set_title(NAME, f"mold [{self._arbiter.proc_name}]")
        self._order = receive_order(self._link.channel)

    def prepare_again(self) -> None:
        """Everything up to the first fork, in a mold that has been a worker: the settings and the
        application stay as they are. Raises MoldFailure."""
        from cowherd_agent import fork_safety, ready_to_fork

        own, advisory = self._own_descriptors(), self._advisory()
        # What serving has left, before any of it is frozen by the search for clients.
        rawgc.collect()
        closed = ready_to_fork.close_what_is_not_shared(self._arbiter, own, advisory)
        if closed:
            self._link.notice("info", f"closed before the fork: {', '.join(closed)}")
        found = fork_safety.look_at_threads(advisory, retiring.THREADS_END_SECONDS)
        # Connections of threads that have ended are often garbage in a cycle (Django's are), and
        # still open.
        rawgc.collect()
        report: dict[str, Any] = {}
        verdict = ready_to_fork.look(self._arbiter, own, advisory, found, retiring.refuse)
        self._tell_fork_safety(verdict, report)
        # As the first mold had them: the worker may have given up its user or its folder since.
        say_configured(self._link, self._settings, self._heap)
        self._receive_listeners()
        rejection = self._heap.prepare(self._link, warmup=None)
        if rejection is not None:
            raise MoldFailure("FORK_UNSAFE", f"heap policy {self._heap.policy_name}: {rejection}")
        self._try_and_say_ready(report)

    # Forking

    def serve(self) -> WorkerStart:
        """Carries out the supervisor's commands. Returns only in a newly forked worker, with
        the mold's own frames gone from its stack."""
        # A worker keeps the mold's collector settings until its policy is applied.
        while True:
            message, descriptors = self._receive_command()
            if message is None:
                # The keeper is gone, and with it every listener.
                self._leave(1)
            if message["type"] == "fork":
                start = self._forking.fork(message["slot"], self._generation)
                if start is not None:
                    self._let_scout_go()
                    return start
            else:
                self._carry_out(message, descriptors)

    def _carry_out(self, message: Message, descriptors: list[int]) -> None:
        kind = message["type"]
        if kind == "worker_exited":
            worker = self._forking.ended(message["pid"])
            if worker is not None:
                self._call_hook("child_exit", self._arbiter.cfg.child_exit, worker)
        elif kind == "listeners":
            self._arbiter.take_listeners(descriptors, message["families"], message["inherited"])
        elif kind == "worker_retired":
            self._forking.forget(message["pid"])
        elif kind == "workers_wanted":
            self._change_wanted(message["count"])
        elif kind == "reopen_logs":
            self._arbiter.log.reopen_files()
        elif kind == "census":
            self._take_census()
        elif kind == "pause_threads":
            self._pause_threads()
        elif kind == "resume_threads":
            self._schedulers.resume()
        elif kind == "merge_memory":
            # Workers that are forked from now on have it from here.
            reason = merging.allow_merging()
            if reason is not None:
                self._link.notice("warning", f"The mold's memory can't be merged: {reason}")
        elif kind == "exit":
            self._leave(0, call_on_exit=message["final"])
        else:
            text = f"The mold of generation {self._generation} does not know the command {kind!r}"
            self._link.notice("warning", text)

    def _receive_command(self) -> tuple[Message | None, list[int]]:
        """The next one; a scout that ends before it comes is told of first."""
        while self._scout is not None:
            answer = self._scout.wait_with(self._link.channel.fileno())
            if answer is None:
                break
            self._scout = None
            self._link.send(answer)
        while self._threads > 0 and not self._link.channel.wait(COLLECT_EVERY_SECONDS):
            # The collector is off in a mold, and the application's threads go on in this one.
            if gc.get_count()[0] >= COLLECT_FROM_OBJECTS:
                rawgc.collect()
        return self._link.channel.receive()

    def _pause_threads(self) -> None:
        """Another mold is being made, whose threads will do the same."""
        paused = self._schedulers.pause()
        if paused:
            self._link.notice("info", f"{paused} scheduler(s) rest in the mold {self._generation}")

    def _let_scout_go(self) -> None:
        """In a new worker: the scout is the mold's."""
        if self._scout is not None:
            self._scout.let_go()
            self._scout = None

    def _take_census(self) -> None:
        if self._scout is not None:
            # Its answer is still to come.
            return
        folder = self._order["runtime_directory"]
        try:
            self._scout = CensusScout(os.path.join(folder, f"{FILE_PREFIX}{self._generation}"))
        except OSError as error:
            self._link.send(
                {"type": "census_failed", "reason": f"no scout could be forked: {error}"}
            )

    def _change_wanted(self, count: int) -> None:
        # Told to every mold when another one is ready: no change is none for the hook.
        if count == self._arbiter.num_workers:
            return
        try:
            # gunicorn's own attribute, which calls the nworkers_changed hook.
            self._arbiter.num_workers = count
        except Exception:
            self._arbiter.log.exception("Exception in the nworkers_changed hook")

    def _leave(self, status: int, call_on_exit: bool = True) -> NoReturn:
        if call_on_exit:
            self._call_hook("on_exit", self._arbiter.cfg.on_exit)
        leave(status)

    def _call_hook(self, name: str, hook: Callable[..., object], *arguments: object) -> None:
        try:
            hook(self._arbiter, *arguments)
        except Exception:
            self._arbiter.log.exception("Exception in the %s hook", name)

    def _receive_listeners(self) -> None:
        message, received = self._link.channel.receive()
        while message is not None and message["type"] == "reopen_logs":
            self._arbiter.log.reopen_files()
            message, received = self._link.channel.receive()
        if message is None or message["type"] == "exit":
            leave(0)
        if message["type"] != "listeners":
            raise MoldFailure("PROTOCOL_MISMATCH", f"expected listeners, got {message['type']}")
        self._arbiter.take_listeners(received, message["families"], message["inherited"])


def _import_ahead() -> None:
    """Imports what every mold needs, while the keeper still starts and has no order to give."""
    # Without gunicorn, or with one that is too old, the order's own steps say so.
    with contextlib.suppress(Exception):
        from gunicorn import util

        from cowherd_agent import arbiter, configuration, herd_heap, worker  # noqa: F401

        # Each worker does it, with a hash that is imported then (random.py, Random.seed).
        util.seed()


def main(arguments: Sequence[str]) -> NoReturn:
    """Runs a mold; ``arguments`` are gunicorn's own."""
    mold = _begin(list(arguments))
    mold.or_end(mold.prepare)
    # A turn for each generation that this process is the mold of, at the same depth of the stack.
    while True:
        start = mold.serve()
        # Only in a worker, and what follows only in one that has retired.
        retirement = _serve_requests(start)
        mold.become_mold_again(start, retirement)
        # The worker's objects are garbage now, to be collected before the heap is prepared.
        del start, retirement
        mold.or_end(mold.prepare_again)


def _begin(arguments: list[str]) -> Mold:
    link = SupervisorLink(Channel.inherited(CHANNEL_DESCRIPTOR))
    process_name.set_name(NAME)
    _import_ahead()
    order = receive_order(link.channel)
    configured = or_end(link, order["occasion"], lambda: configure(link, order, arguments))
    return Mold(link, order, arguments, configured)


def _serve_requests(start: WorkerStart) -> Retirement:
    from cowherd_agent.worker import run

    return run(start)
