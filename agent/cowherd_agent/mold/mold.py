"""The mold: one generation of the application, which forks workers on command."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from cowherd_agent import merging
from cowherd_agent.failures import MoldFailure
from cowherd_agent.fork_safety.schedulers import Schedulers
from cowherd_agent.interpreter import rawgc
from cowherd_agent.leaving.leaving import leave
from cowherd_agent.mold.dirty_arbiter import DirtyArbiter, start_if_wanted
from cowherd_agent.mold.forking import Forking
from cowherd_agent.mold.gauges import Gauges
from cowherd_agent.mold.hooks import run_hook
from cowherd_agent.mold.loading import Configured, configure, load, say_configured
from cowherd_agent.mold.or_end import or_end
from cowherd_agent.mold.orders import receive_order, start_again
from cowherd_agent.mold.supervisor_link import SupervisorLink
from cowherd_agent.mold.warming import WarmUp
from cowherd_agent.wire import commands
from cowherd_agent.wire.channel import Channel
from cowherd_agent.wire.message_rules import BadMessage
from cowherd_agent.worker import process_name, retiring

if TYPE_CHECKING:
    from cowherd_agent.fork_safety import Advisory, Verdict
    from cowherd_agent.wire.command_types import MoldOrder
    from cowherd_agent.wire.messages import Message, ToMold
    from cowherd_agent.worker.retiring import Retirement
    from cowherd_agent.worker.worker_start import WorkerStart

CHANNEL_DESCRIPTOR = 3
NAME = "cowherd-mold"

# How long ending threads are waited for: asgiref starts another thread to end one, after each
# request (asgiref/sync.py, ThreadSensitiveContext).
THREADS_END_SECONDS = 0.5

# How often a mold whose threads keep running collects, and from how many young objects on.
COLLECT_EVERY_SECONDS = 60.0
COLLECT_FROM_OBJECTS = 10_000


class Mold:
    """One generation of the application, from its loading to its end."""

    def __init__(
        self,
        link: SupervisorLink,
        order: MoldOrder,
        arguments: Sequence[str],
        configured: Configured,
    ) -> None:
        self._link = link
        self._order = order
        self._arguments = arguments
        self._application, self._arbiter, self._heap, self._settings = configured
        self._forking = Forking(link, self._arbiter, self._heap, keeper_pid=os.getppid())
        # How many threads of the application do something here that no worker does.
        self._threads = 0
        self._schedulers = Schedulers()
        self._gauges = Gauges(self._arbiter, lambda text: link.notice("warning", text))
        self._dirty = DirtyArbiter()
        process_name.set_title(NAME, f"mold [{self._arbiter.cfg.proc_name}]")

    @property
    def _generation(self) -> int:
        generation: int = self._order["generation"]
        return generation

    # Getting ready

    def or_end(self, work: Callable[[], None]) -> None:
        """Runs `work`; reports any failure to the supervisor and exits."""
        or_end(self._link, self._order["occasion"], work, lambda: self._dirty.let_go())

    def prepare(self) -> None:
        """Everything from the settings to the first fork. Raises MoldFailure."""
        self._dirty = start_if_wanted(self._arbiter)
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
        from cowherd_agent import fork_safety
        from cowherd_agent.mold import ready_to_fork

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
        """Sends a canary if one is wanted, then `mold_ready`. Raises MoldFailure."""
        from cowherd_agent.mold import canary

        if canary.is_wanted(self._order["occasion"], self._arbiter.cfg.health):
            report["canary"] = self._send_canary()
        self._link.send(
            {
                "type": "mold_ready",
                "policy": self._heap.policy_name,
                "asked_policy": self._arbiter.cfg.heap_policy,
                "remarks": self._heap.remarks,
                "report": {**self._heap.report, **report, **self._dirty.report},
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
        """Descriptors that every worker has on purpose."""
        listeners = [listener.sock.fileno() for listener in self._arbiter.LISTENERS]
        return [self._link.channel.fileno(), *listeners, *self._dirty.descriptors]

    def _send_canary(self) -> dict[str, Any]:
        from cowherd_agent.mold import canary

        app, interface = self._application.original, self._application.interface
        verdict = canary.send(self._heap, self._arbiter, app, interface)
        if verdict.reason:
            raise MoldFailure("CANARY_FAILED", verdict.reason)
        if verdict.warning:
            self._link.notice("warning", f"Canary: {verdict.warning}")
        self._link.progress("canary", "a canary passed all checks", verdict.seconds, final=True)
        return {"seconds": verdict.seconds, "warning": verdict.warning or None}

    def _start_without_policy(self, rejection: str) -> NoReturn:
        policy = self._heap.policy_name
        self._link.send({"type": "policy_rejected", "policy": policy, "reason": rejection})
        # The keeper still has the listeners, and sends them again once the new start is configured.
        for listener in self._arbiter.LISTENERS:
            listener.close()
        start_again(self._order, self._arguments, self._link.channel, policy, rejection)

    # A worker that becomes a mold

    def become_mold_again(self, start: WorkerStart, retirement: Retirement) -> None:
        """In a worker that has retired: sheds the worker, and waits for a mold's order."""
        self._heap.leave_worker()
        try:
            retiring.shed(start, retirement)
        except OSError:
            # The keeper is gone, and with it every listener.
            self._leave(1)
        process_name.set_title(NAME, f"mold [{self._arbiter.proc_name}]")
        self._order = receive_order(self._link.channel)

    def prepare_again(self) -> None:
        """Everything up to the first fork, in a mold that was a worker: the settings and the
        application stay. Raises MoldFailure."""
        from cowherd_agent import fork_safety
        from cowherd_agent.mold import ready_to_fork

        own, advisory = self._own_descriptors(), self._advisory()
        # Frees the garbage of serving, before the search for clients freezes any of it.
        rawgc.collect()
        closed = ready_to_fork.close_what_is_not_shared(self._arbiter, own, advisory)
        if closed:
            self._link.notice("info", f"closed before the fork: {', '.join(closed)}")
        found = fork_safety.look_at_threads(advisory, retiring.THREADS_END_SECONDS)
        # Connections of ended threads are often garbage in a cycle (Django's are), and still open.
        rawgc.collect()
        report: dict[str, Any] = {}
        verdict = ready_to_fork.look(self._arbiter, own, advisory, found, retiring.refuse)
        self._tell_fork_safety(verdict, report)
        # The first mold's settings: the worker may have given up its user or its folder since.
        say_configured(self._link, self._settings, self._heap)
        self._receive_listeners()
        rejection = self._heap.prepare(self._link, warmup=None)
        if rejection is not None:
            raise MoldFailure("FORK_UNSAFE", f"heap policy {self._heap.policy_name}: {rejection}")
        self._try_and_say_ready(report)

    # Forking

    def serve(self) -> WorkerStart:
        """Carries out the supervisor's commands. Returns only in a newly forked worker, with the
        mold's own frames gone from its stack."""
        # A worker keeps the mold's collector settings until its policy is applied.
        while True:
            message, descriptors = self._receive_command()
            if message is None:
                # The keeper is gone, and with it every listener.
                self._leave(1)
            try:
                command = commands.mold_command(message)
            except BadMessage as error:
                for descriptor in descriptors:
                    os.close(descriptor)
                text = f"Mold {self._generation} ignored a command: {error}"
                self._link.notice("warning", text)
                continue
            if command["type"] == "fork":
                start = self._forking.fork(command["slot"], self._generation)
                if start is not None:
                    return start
            else:
                self._carry_out(command, descriptors)

    def _carry_out(self, command: ToMold, descriptors: list[int]) -> None:
        """Every command but `fork`."""
        if command["type"] == "worker_exited":
            worker = self._forking.ended(command["pid"])
            if worker is not None:
                self._call_hook("child_exit", self._arbiter.cfg.child_exit, worker)
        elif command["type"] == "listeners":
            self._arbiter.take_listeners(descriptors, command["families"], command["inherited"])
        elif command["type"] == "worker_retired":
            self._forking.forget(command["pid"])
        elif command["type"] == "workers_wanted":
            self._change_wanted(command["count"])
        elif command["type"] == "reopen_logs":
            self._arbiter.log.reopen_files()
            self._dirty.reopen_logs()
        elif command["type"] == "gauges":
            self._gauges.tell(command["workers"], command["backlog"])
        elif command["type"] == "pause_threads":
            self._pause_threads()
        elif command["type"] == "resume_threads":
            self._schedulers.resume()
        elif command["type"] == "merge_memory":
            # Workers forked from now on inherit this.
            reason = merging.allow_merging()
            if reason is not None:
                self._link.notice("warning", f"The mold's memory can't be merged: {reason}")
        elif command["type"] == "exit":
            self._leave(0, call_on_exit=command["final"])
        elif command["type"] != "fork":
            commands.unhandled(command)

    def _receive_command(self) -> tuple[Message | None, list[int]]:
        while self._threads > 0 and not self._link.channel.wait(COLLECT_EVERY_SECONDS):
            # A mold's collector is off, and the application's threads keep running in this mold.
            if gc.get_count()[0] >= COLLECT_FROM_OBJECTS:
                rawgc.collect()
        return self._link.channel.receive()

    def _pause_threads(self) -> None:
        """Another mold is being made, whose threads will do the same work."""
        paused = self._schedulers.pause()
        if paused:
            self._link.notice(
                "info", f"paused {paused} scheduler(s) in the mold of generation {self._generation}"
            )

    def _change_wanted(self, count: int) -> None:
        # Every mold is told when another mold is ready; the hook must not see an unchanged number.
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
        self._dirty.let_go()
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
        listeners = commands.mold_command(message)
        assert listeners["type"] == "listeners"
        self._arbiter.take_listeners(received, listeners["families"], listeners["inherited"])


def _import_ahead() -> None:
    """Imports modules that every mold needs, while the keeper is starting and has no order yet."""
    # If gunicorn is missing or too old, the steps of the order report it.
    with contextlib.suppress(Exception):
        from gunicorn import util

        from cowherd_agent.worker import worker  # noqa: F401

        # Each worker seeds, with a hash that is imported on first use (random.py, Random.seed).
        util.seed()


def main(arguments: Sequence[str]) -> NoReturn:
    """Runs a mold; ``arguments`` are gunicorn's own."""
    mold = _begin(list(arguments))
    mold.or_end(mold.prepare)
    # One turn for each generation that this process is the mold of, at the same stack depth.
    while True:
        start = mold.serve()
        # Reached only in a worker; the lines below only in one that has retired.
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
    from cowherd_agent.worker.worker import run

    return run(start)
