"""The heap policies without the Cowherd server: under a plain gunicorn or uWSGI.

gunicorn, in gunicorn.conf.py::

    from cowherd_agent import prepare

    preload_app = True

    def when_ready(server):
        global herd
        herd = prepare("immortal")

    def post_request(worker, req, environ, resp):
        herd.request_finished()

uWSGI with a master (not lazy-apps), at the end of the module that makes the application::

    from cowherd_agent import prepare

    herd = prepare("immortal")
    application = herd.wrap(application)

Call `prepare` once the application is loaded, in the process that will fork the workers, with no
other thread running. In every process forked from it, `prepare` applies the policy, arms the guard,
and makes the process leave without finalization, after its atexit hooks.

Import this package before the application if you can: that puts the guard's replacements for the gc
module's functions in place, so that a module's `from gc import enable` gets them too. Until workers
are forked they let everything through.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from cowherd_agent.collection import guard as guard_module
from cowherd_agent.collection.collector import Collector, CollectorSettings
from cowherd_agent.collection.guard import Guard, GuardCall, GuardMode
from cowherd_agent.collection.request_counter import CountedWSGI, RequestCounter
from cowherd_agent.heap.report import PolicyReport, Progress
from cowherd_agent.interpreter.errors import PolicyUnavailable
from cowherd_agent.interpreter.interpreter import identify
from cowherd_agent.leaving import leave_at_exit
from cowherd_agent.policies import HeapPolicy, make
from cowherd_agent.policies.ladder import AUTO, resolve
from cowherd_agent.policies.scout import ScoutVerdict, run_scout
from cowherd_agent.wire import scoreboard

PolicyChoice = Literal["stock", "instagram", "freeze", "immortal", "auto"]

SCOUT_TIMEOUT_SECONDS = 60.0

_guard: Guard = guard_module.install("hold", "stock", armed=False)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A policy that `auto` rejected, with the reason."""

    policy: str
    reason: str


class _OwnSlot:
    """Counters of a worker that has no scoreboard."""

    def __init__(self) -> None:
        self.words = memoryview(array("Q", bytes(8 * scoreboard.ROW_WORDS)))


class Prepared:
    """The result of `prepare`.

    Attributes:
        policy: the name of the policy in use.
        report: what its preparation did, took and cost.
        rejected: policies that `auto` tried before.
        collector: collects after responses in a worker; None in the mold, and under policies
            without one.
    """

    def __init__(
        self,
        policy: HeapPolicy,
        report: PolicyReport,
        rejected: tuple[Rejection, ...],
        collect_after: int,
        on_guard_call: Callable[[GuardCall], None],
    ) -> None:
        self.policy = policy.name
        self.report = report
        self.rejected = rejected
        self.collector: Collector | None = None
        self.guard = _guard
        self._policy = policy
        self._collect_after = collect_after
        self._on_guard_call = on_guard_call
        self._counter = RequestCounter()
        self._slot = _OwnSlot()
        self._mold_pid = os.getpid()
        self._applied_in_pid = 0

    def wrap(self, app: Callable[..., Any]) -> Callable[..., Any]:
        """The WSGI application, with a collection after the response when one is due."""
        return _Wrapped(app, self._counter)

    def request_finished(self) -> None:
        """For a server's own hook after each response, if the application is not wrapped."""
        if self.collector is not None:
            self.collector.request_finished()

    def counters(self) -> dict[str, int]:
        """This process's counters: collections, time spent in them, calls that the guard saw."""
        words = self._slot.words
        return {
            "collections_outside": words[scoreboard.COLLECTIONS_OUTSIDE],
            "collections_outside_ns": words[scoreboard.COLLECTIONS_OUTSIDE_NS],
            "collections_inside": words[scoreboard.COLLECTIONS_INSIDE],
            "collections_inside_ns": words[scoreboard.COLLECTIONS_INSIDE_NS],
            "guard_held": words[scoreboard.GUARD_HELD],
            "guard_reported": words[scoreboard.GUARD_REPORTED],
            "objects_freed": words[scoreboard.OBJECTS_FREED],
        }

    def after_fork(self) -> None:
        """Apply the policy in a new worker. Runs automatically; calling it again is harmless."""
        if self._applied_in_pid == os.getpid() or os.getpid() == self._mold_pid:
            return
        if self._applied_in_pid and os.getppid() != self._mold_pid:
            # A child of a worker (a subprocess pool, say) has inherited everything from its parent.
            return
        self._applied_in_pid = os.getpid()
        self._slot = _OwnSlot()
        settings = CollectorSettings(collect_after=self._collect_after, slot=self._slot)
        self.collector = self._policy.after_fork(settings)
        self._counter.bind(self._slot.words, self.collector)
        _guard.arm(self.policy, on_call=self._on_guard_call, slot=self._slot)
        if self._policy.leaves_without_finalization:
            leave_at_exit.install()


class _Wrapped(CountedWSGI):
    """Leaves alone a file from uWSGI's own file wrapper, which uWSGI sends itself."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        result = super().__call__(environ, start_response)
        body = getattr(result, "_body", None)
        file_wrapper = environ.get("wsgi.file_wrapper")
        if (
            file_wrapper is not None
            and not isinstance(file_wrapper, type)
            and hasattr(body, "read")
        ):
            self._counter.finished()
            return body
        return result


def prepare(
    policy: PolicyChoice = "auto",
    warmup: Callable[[], object] | None = None,
    guard: GuardMode = "hold",
    *,
    collect_after: int = 10_000,
    progress: Progress | None = None,
    on_guard_call: Callable[[GuardCall], None] | None = None,
    log: Callable[[str], None] | None = None,
    allow_threads: bool = False,
) -> Prepared:
    """Prepare this process's heap, and apply the policy in all processes that it forks.

    Args:
        policy: a heap policy, or "auto" for the highest one that works here. `auto` tries each in a
            forked copy of this process first. That doubles the time and needs, meanwhile, up to as
            much memory as the heap has.
        warmup: called first; does what workers will do (render a page, say). Close what it opened.
        guard: "hold", "report" or "off"; see cowherd_agent.collection.guard.
        collect_after: young objects that set off a collection after a response.
        progress: gets ProgressEvents during the preparation.
        on_guard_call: in workers, gets the first GuardCall from each place; by default a line on
            stderr.
        log: gets lines of text; stderr by default.
        allow_threads: do not refuse when other threads run. They do not exist in forked workers,
            and one that runs while objects are marked may still be counting.

    Raises:
        PolicyUnavailable: for a policy that this interpreter can't have.
        RuntimeError: if other threads are running, or this is a worker already (uWSGI's lazy-apps).
    """
    say = log or _to_stderr
    if _uwsgi_worker():
        raise RuntimeError(
            "cowherd_agent.prepare: this is a worker already, so there is nothing to share; "
            "run uWSGI with a master and without lazy-apps"
        )
    others = [each.name for each in threading.enumerate() if each is not threading.current_thread()]
    if others and not allow_threads:
        raise RuntimeError(
            f"cowherd_agent.prepare: other threads are running ({', '.join(others)}), which will "
            "not exist in forked workers; stop them first, or pass allow_threads=True"
        )
    started = time.perf_counter()
    candidates = resolve(policy, identify())
    if warmup is not None:
        warmup()
    chosen, rejected = _choose(candidates, warmup, is_auto=policy == AUTO)
    for rejection in rejected:
        say(f"cowherd: heap policy {rejection.policy} is not used: {rejection.reason}")
    _guard.configure(guard, chosen.name)
    chosen.before_load()
    report = chosen.prepare(progress)
    prepared = Prepared(chosen, report, rejected, collect_after, on_guard_call or _guard_line(say))
    _arrange(prepared)
    say(_summary(prepared, time.perf_counter() - started))
    return prepared


def _choose(
    candidates: list[str], warmup: Callable[[], object] | None, *, is_auto: bool
) -> tuple[HeapPolicy, tuple[Rejection, ...]]:
    rejected: list[Rejection] = []
    for name in candidates:
        chosen = make(name)
        try:
            chosen.self_test()
        except PolicyUnavailable as unavailable:
            if not is_auto:
                raise
            rejected.append(Rejection(name, unavailable.reason))
            continue
        if is_auto and chosen.promises:
            reason = _try(chosen, warmup)
            if reason:
                rejected.append(Rejection(name, reason))
                continue
        return chosen, tuple(rejected)
    raise PolicyUnavailable(AUTO, "no policy is left", ())


def _try(policy: HeapPolicy, warmup: Callable[[], object] | None) -> str:
    """Prepare a forked copy of this process, and send a scout from there, since changes to a heap
    can't be undone. Returns why the policy is unfit for use; empty if it is fit."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(reader)
            policy.before_load()
            policy.prepare(None)
            verdict: ScoutVerdict = run_scout(
                warmup, SCOUT_TIMEOUT_SECONDS, promises=policy.promises
            )
            os.write(writer, json.dumps(verdict.reason).encode())
            status = 0
        except BaseException as error:
            os.write(writer, json.dumps(f"{type(error).__name__}: {error}").encode())
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(pid, 0)
    if not answer:
        return f"a copy of this process did not survive its preparation (status {status})"
    return str(json.loads(answer))


def _uwsgi_worker() -> int:
    """The number of the uWSGI worker that this process is; 0 in a master, or without uWSGI."""
    uwsgi: Any = sys.modules.get("uwsgi")
    return 0 if uwsgi is None else int(uwsgi.worker_id())


def _arrange(prepared: Prepared) -> None:
    """Have `after_fork` called in every worker.

    os.register_at_fork covers os.fork(), and so gunicorn. uWSGI forks in C, and calls Python's own
    hooks only with py-call-osafterfork. It does call `uwsgi.post_fork_hook`, which uwsgidecorators
    owns once imported.
    """
    os.register_at_fork(after_in_child=prepared.after_fork)
    uwsgi = sys.modules.get("uwsgi")
    if uwsgi is None:
        return
    try:
        # Raises without a master process, or if uWSGI was installed without it.
        decorators: Any = importlib.import_module("uwsgidecorators")
    except Exception:
        previous = getattr(uwsgi, "post_fork_hook", None)

        def hook() -> None:
            prepared.after_fork()
            if previous is not None:
                previous()

        uwsgi.post_fork_hook = hook  # type: ignore[attr-defined]
    else:
        decorators.postfork(prepared.after_fork)


def _summary(prepared: Prepared, seconds: float) -> str:
    counts: dict[str, int] = {}
    for step in prepared.report.steps:
        counts.update(step.counts)
    parts = [f"cowherd: heap policy {prepared.policy}, prepared in {seconds:.2f} s"]
    if "objects" in counts:
        parts.append(f"{counts['objects']:,} objects immortal")
    if "blocks" in counts:
        sealed = counts.get("block_bytes", 0) + counts.get("chunk_bytes", 0)
        parts.append(f"{sealed / 1024 / 1024:.1f} MiB of free memory sealed")
    return ", ".join(parts)


def _guard_line(say: Callable[[str], None]) -> Callable[[GuardCall], None]:
    def on_call(call: GuardCall) -> None:
        what = "held off" if call.held else "let through"
        name = "a collection" if call.function == "collection" else f"gc.{call.function}()"
        say(f"cowherd: {name} from {call.package} ({call.file}:{call.line}) {what}")

    return on_call


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
