"""The mold: loads the application, prepares its heap, and forks workers on command."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from cowherd_agent import merging, perf_names, process_name, retiring, threads
from cowherd_agent.census_scout import FILE_PREFIX, CensusScout
from cowherd_agent.channel import Channel
from cowherd_agent.failures import MoldFailure
from cowherd_agent.heap import rawgc
from cowherd_agent.hooks import is_own_fault, print_own_traceback, run_hook
from cowherd_agent.leaving import leave
from cowherd_agent.messages import Message
from cowherd_agent.monkey_patching import patch_for
from cowherd_agent.near_application import nearest_application
from cowherd_agent.places import LAUNCHER
from cowherd_agent.schedulers import Schedulers
from cowherd_agent.scoreboard import Slot
from cowherd_agent.setting_sources import require_web_concurrency
from cowherd_agent.worker_fork import WorkerFork
from cowherd_agent.worker_start import WorkerStart

if TYPE_CHECKING:
    from cowherd_agent.arbiter import MoldArbiter
    from cowherd_agent.configuration import MoldApplication
    from cowherd_agent.fork_safety import Advisory, Verdict
    from cowherd_agent.herd_heap import HerdHeap
    from cowherd_agent.meter import Interface
    from cowherd_agent.retiring import Retirement

CHANNEL_DESCRIPTOR = 3
NAME = "cowherd-mold"
OLDEST_GUNICORN = 23

# Carries the order over an exec, when the mold starts anew without a rejected policy.
ORDER_VARIABLE = "COWHERD_MOLD_ORDER"

# How long threads may take that are about to end: asgiref ends one with another one, after each
# request (asgiref/sync.py, ThreadSensitiveContext).
THREADS_END_SECONDS = 0.5

# In a mold whose threads go on, once in a while and where there may be something to collect.
COLLECT_EVERY_SECONDS = 60.0
COLLECT_FROM_OBJECTS = 10_000


class Mold:
    """One generation of the application, from its loading to its end."""

    def __init__(self, channel: Channel, order: dict[str, Any], arguments: list[str]) -> None:
        self._channel = channel
        self._order = order
        self._arguments = arguments
        self._generation: int = order["generation"]
        self._keeper_pid = os.getppid()
        self.daemonize = False
        self._settings: dict[str, Any] | None = None
        self._application: MoldApplication
        self._arbiter: MoldArbiter
        self._heap: HerdHeap
        # While one takes a census.
        self._scout: CensusScout | None = None
        # How many threads of the application do something here that no worker does.
        self._threads = 0
        self._schedulers = Schedulers()

    # Getting ready

    def get_ready(self, prepare: Callable[[], None]) -> None:
        """Does that; what goes wrong is told to the supervisor, and ends the mold."""
        try:
            prepare()
        except MoldFailure as failure:
            self._fail(failure.code, failure.detail)
        except SystemExit as finished:
            if self._order["occasion"] == "refork":
                self._fail("MOLD_DIED", f"something called sys.exit({finished.code!r})")
            # --help, --version, --print-config and --check-config have printed what they are for.
            sys.stdout.flush()
            status = finished.code if isinstance(finished.code, int) else 0
            self._send({"type": "mold_finished", "status": status, "daemonize": self.daemonize})
            leave(status)
        except MemoryError:
            gc.collect()
            self._fail("MOLD_OUT_OF_MEMORY", "memory ran out while the mold was made ready")
        except Exception as error:
            traceback.print_exc()
            code = "INTERNAL" if is_own_fault(error) else "MOLD_DIED"
            self._fail(code, f"{type(error).__name__}: {error}")

    def _fail(self, code: str, detail: str) -> NoReturn:
        self._send({"type": "mold_failed", "code": code, "detail": detail})
        leave(1)

    def prepare(self) -> None:
        """Everything up to the first fork. Raises MoldFailure; SystemExit(0) after --help."""
        threads.record_starts()
        self._configure()
        self._load()
        is_first = self._order["occasion"] == "first"
        if is_first:
            run_hook("on_starting", self._arbiter.cfg.on_starting, self._arbiter)
        self._receive_listeners()
        if hasattr(self._arbiter.worker_class, "check_config"):
            self._arbiter.worker_class.check_config(self._arbiter.cfg, self._arbiter.log)
        # gunicorn calls these two once, when it starts, and on_reload at each reload.
        if is_first:
            run_hook("when_ready", self._arbiter.cfg.when_ready, self._arbiter)
        else:
            run_hook("on_reload", self._arbiter.cfg.on_reload, self._arbiter)
        self._prepare_heap()

    def _configure(self) -> None:
        _require_gunicorn()
        require_web_concurrency()
        from cowherd_agent import configuration
        from cowherd_agent.arbiter import MoldArbiter
        from cowherd_agent.herd_heap import HerdHeap
        from cowherd_agent.logs import use_json

        self._application = application = configuration.read_application(self._arguments)
        cfg = application.cfg
        if cfg.print_config:
            print(cfg)
        if cfg.pythonpath:
            for path in cfg.pythonpath.split(","):
                if os.path.abspath(path) not in sys.path:
                    sys.path.insert(0, os.path.abspath(path))
        if cfg.print_config or cfg.check_config:
            self._load_application()
            raise SystemExit(0)
        try:
            worker_class = cfg.worker_class
        except (RuntimeError, ImportError) as error:
            detail = configuration.explain_worker_class(error, cfg)
            raise MoldFailure("INVALID_SETTING", detail) from error
        del worker_class
        self._heap = HerdHeap(
            cfg.heap_policy,
            cfg.gc_guard,
            cfg.collect_after,
            rejected=self._order.get("rejected_policies", []),
        )
        from gunicorn import debug

        if cfg.daemon and not self._order["daemonized"]:
            # Before the app is loaded: the background process does it all from the beginning.
            self.daemonize = True
            raise SystemExit(0)
        self._say_configured()
        try:
            self._arbiter = MoldArbiter(application)
        except RuntimeError as error:
            raise MoldFailure("INVALID_SETTING", str(error)) from error
        self._warn_of_what_is_not_done(cfg)
        if cfg.spew:
            debug.spew()
        process_name.set_title(NAME, f"mold [{cfg.proc_name}]")
        if self._order.get("log_format") == "json":
            use_json(cfg, self._arbiter.log)

    def _say_configured(self) -> None:
        import gunicorn

        from cowherd_agent import configuration

        # Once: the worker that a later generation was may have given up its user or its folder.
        if self._settings is None:
            self._settings = configuration.describe(self._application)
        self._send(
            {
                "type": "configured",
                "settings": self._settings,
                "python_version": ".".join(map(str, sys.version_info[:3])),
                "gunicorn_version": gunicorn.__version__,
                "executable": sys.executable,
                "remarks": self._heap.remarks,
            }
        )

    def _warn_of_what_is_not_done(self, cfg: Any) -> None:
        # Settings of newer gunicorn versions; an older one does not know them.
        if "dirty_workers" in cfg.settings and cfg.dirty_workers > 0 and cfg.dirty_apps:
            self._notice(
                "warning", "dirty_workers: Cowherd does not start gunicorn's dirty arbiter"
            )
        if cfg.perf_names:
            reason = perf_names.why_not()
            if reason is not None:
                self._notice("warning", f"perf_names: {reason}; functions of Python have no names")

    def _load(self) -> None:
        if self._arbiter.cfg.reload:
            # gunicorn's reloader restarts workers, which then import the new code themselves.
            self._notice("warning", "reload is on: workers load the app and share nothing of it")
            return
        self._heap.before_load()
        patch_for(self._arbiter.worker_class)
        modules_before = len(sys.modules)
        started = time.perf_counter()
        self._progress("load", "loading the application", 0.0)
        self._load_application()
        self._progress(
            "load",
            "loaded the application, modules",
            time.perf_counter() - started,
            done=len(sys.modules) - modules_before,
            final=True,
        )

    def _load_application(self) -> None:
        from gunicorn.errors import AppImportError

        name = self._application.app_uri
        try:
            self._application.wsgi()
        except MemoryError as error:
            raise MoldFailure(
                "MOLD_OUT_OF_MEMORY", f"memory ran out while {name} was loaded"
            ) from error
        except AppImportError as error:
            code = "APP_NOT_CALLABLE" if "callable" in str(error) else "APP_IMPORT_FAILED"
            near = nearest_application(name)
            hint = "" if near is None else f"; the nearest is {near}"
            raise MoldFailure(code, f"{str(error).rstrip('.')}{hint}") from error
        except SystemExit as error:
            print_own_traceback(error)
            raise MoldFailure(
                "APP_IMPORT_FAILED", f"{name} called sys.exit({error.code!r}) while it was loaded"
            ) from error
        except Exception as error:
            print_own_traceback(error)
            raise MoldFailure(
                "APP_IMPORT_FAILED", f"{name}: {type(error).__name__}: {error}"
            ) from error

    def _prepare_heap(self) -> None:
        from cowherd_agent import fork_safety, ready_to_fork, warmup

        cfg = self._arbiter.cfg
        app, interface = self._application.original, self._application.interface

        # What answered in the mold must answer in the scout; the rest is not the policy's fault.
        replayed: list[str] = []

        def replay() -> None:
            for result in warmup.play(app, interface, replayed):
                if result.error is not None or result.status >= 500:
                    why = result.error or f"status {result.status}"
                    raise RuntimeError(f"{result.request}: {why}")

        report: dict[str, Any] = {}
        if app is not None and cfg.warmup:
            replayed.extend(self._warm_up(app, interface, report))
        own, advisory = self._own_descriptors(), self._advisory()
        closed = ready_to_fork.close_what_is_not_shared(self._arbiter, own, advisory)
        if closed and replayed:
            self._notice("info", f"closed before the fork: {', '.join(closed)}")
        found = fork_safety.look_at_threads(advisory, THREADS_END_SECONDS)
        verdict = ready_to_fork.look(self._arbiter, own, advisory, found, ready_to_fork.refuse)
        self._tell_fork_safety(verdict, report)
        rejection = self._heap.prepare(
            on_progress=self._progress, warmup=replay if replayed else None
        )
        if rejection is not None:
            self._restart_without(rejection)
        self._say_ready(report)

    def _warm_up(self, app: Any, interface: Interface, report: dict[str, Any]) -> list[str]:
        """Plays the warm-up requests; returns those that the application can answer."""
        from cowherd_agent import rehearsal, warmup
        from cowherd_agent.heap import code_placement

        cfg = self._arbiter.cfg
        started = time.perf_counter()
        results = []
        rehearsed = 0
        recorder = code_placement.Recorder()
        with recorder if self._heap.gathers_code else contextlib.nullcontext():
            for done, request in enumerate(cfg.warmup):
                seconds = time.perf_counter() - started
                told = f"warming up: {warmup.parse_request(request).told}"
                self._progress("warmup", told, seconds, done, len(cfg.warmup))
                results.extend(warmup.play(app, interface, [request]))
            answered = [
                request
                for request, result in zip(cfg.warmup, results, strict=True)
                if result.error is None and result.status < 500
            ]
            if self._heap.gathers_code:
                rehearsed += self._rehearse(app, interface, answered, rounds=1)
        report["warmup"] = [result._asdict() for result in results]
        if recorder.codes:
            report["code"] = code_placement.gather(recorder.codes)._asdict()
        if self._heap.rehearses:
            rehearsed += self._rehearse(app, interface, answered, rehearsal.ROUNDS)
        self._progress(
            "warmup",
            "warmed up, requests",
            time.perf_counter() - started,
            len(cfg.warmup) + rehearsed,
            final=True,
        )
        for result in results:
            if result.error is not None or result.status >= 400:
                why = result.error or f"status {result.status}"
                self._notice("warning", f"warm-up request {result.request} failed: {why}")
        return answered

    def _rehearse(self, app: Any, interface: Interface, requests: list[str], rounds: int) -> int:
        from cowherd_agent import rehearsal

        try:
            return rehearsal.rehearse(app, interface, requests, self._arbiter.cfg, rounds)
        except Exception as error:
            # It was answered once; workers serve well without it.
            why = f"{type(error).__name__}: {error}"
            self._notice("warning", f"warm-up requests could not be played again: {why}")
            return 0

    def _say_ready(self, report: dict[str, Any]) -> None:
        from cowherd_agent import canary

        if canary.is_wanted(self._order["occasion"], self._arbiter.cfg.health):
            report["canary"] = self._send_canary()
        self._send(
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
            self._notice("warning", f"Fork safety: {finding.line}")
        for fate in verdict.threads:
            if fate.fate == "mold only":
                what = fate.thread.description
                self._notice("info", f"Fork safety: {what}: in a worker {fate.consequence}")

    def _advisory(self) -> Advisory:
        from cowherd_agent.fork_safety import Advisory

        return Advisory(lambda text: self._notice("warning", text), self._arbiter.log.debug)

    def _own_descriptors(self) -> list[int]:
        """What every worker has on purpose."""
        listeners = [listener.sock.fileno() for listener in self._arbiter.LISTENERS]
        return [self._channel.fileno(), *listeners]

    def _send_canary(self) -> dict[str, Any]:
        from cowherd_agent import canary

        app, interface = self._application.original, self._application.interface
        verdict = canary.send(self._heap, self._arbiter, app, interface)
        if verdict.reason:
            raise MoldFailure("CANARY_FAILED", verdict.reason)
        if verdict.warning:
            self._notice("warning", f"Canary: {verdict.warning}")
        self._progress("canary", "a canary came back well", verdict.seconds, final=True)
        return {"seconds": verdict.seconds, "warning": verdict.warning or None}

    def _restart_without(self, rejection: str) -> NoReturn:
        """A policy can't be taken back: starts this process anew, without the rejected one."""
        policy = self._heap.policy_name
        self._send({"type": "policy_rejected", "policy": policy, "reason": rejection})
        order = dict(self._order)
        order["rejected_policies"] = [
            *order.get("rejected_policies", []),
            {"policy": policy, "reason": rejection},
        ]
        # The keeper still has them, and gives them again when the new start is configured.
        for listener in self._arbiter.LISTENERS:
            listener.close()
        self._channel.set_inheritable(True)
        sys.stdout.flush()
        sys.stderr.flush()
        os.chdir(self._order["cwd"])
        os.environ[ORDER_VARIABLE] = json.dumps(order)
        os.execv(sys.executable, [sys.executable, LAUNCHER, "mold", *self._arguments])

    # A worker that becomes a mold

    def take_over(self, start: WorkerStart, retirement: Retirement) -> None:
        """In a worker that has retired: sheds the worker, and waits for the order of a mold."""
        self._heap.leave_worker()
        try:
            retiring.shed(start, retirement)
        except OSError:
            # The keeper is gone, and with it every listener.
            self._leave(1)
        process_name.set_title(NAME, f"mold [{self._arbiter.proc_name}]")
        self._order = _receive_order(self._channel)
        self._generation = self._order["generation"]

    def prepare_again(self) -> None:
        """Everything up to the first fork, in a mold that has been a worker: the settings and the
        application stay as they are. Raises MoldFailure."""
        from cowherd_agent import fork_safety, ready_to_fork

        own, advisory = self._own_descriptors(), self._advisory()
        # What serving has left, before any of it is frozen by the search for clients.
        rawgc.collect()
        closed = ready_to_fork.close_what_is_not_shared(self._arbiter, own, advisory)
        if closed:
            self._notice("info", f"closed before the fork: {', '.join(closed)}")
        found = fork_safety.look_at_threads(advisory, retiring.THREADS_END_SECONDS)
        # Connections of threads that have ended are often garbage in a cycle (Django's are), and
        # still open.
        rawgc.collect()
        report: dict[str, Any] = {}
        verdict = ready_to_fork.look(self._arbiter, own, advisory, found, retiring.refuse)
        self._tell_fork_safety(verdict, report)
        self._say_configured()
        self._receive_listeners()
        rejection = self._heap.prepare(on_progress=self._progress, warmup=None)
        if rejection is not None:
            raise MoldFailure("FORK_UNSAFE", f"heap policy {self._heap.policy_name}: {rejection}")
        self._say_ready(report)

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
            kind = message["type"]
            if kind == "fork":
                start = self._fork(message["slot"])
                if start is not None:
                    return start
            elif kind == "worker_exited":
                self._forget_worker(message)
            elif kind == "listeners":
                self._arbiter.take_listeners(descriptors, message["families"], message["inherited"])
            elif kind == "worker_retired":
                retired = self._arbiter.WORKERS.pop(message["pid"], None)
                if retired is not None:
                    retired.tmp.close()
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
                    self._notice("warning", f"The mold's memory can't be merged: {reason}")
            elif kind == "exit":
                self._leave(0, call_on_exit=message["final"])

    def _receive_command(self) -> tuple[Message | None, list[int]]:
        """The next one; a scout that ends before it comes is told of first."""
        while self._scout is not None:
            answer = self._scout.wait_with(self._channel.fileno())
            if answer is None:
                break
            self._scout = None
            self._send(answer)
        while self._threads > 0 and not self._channel.wait(COLLECT_EVERY_SECONDS):
            # The collector is off in a mold, and the application's threads go on in this one.
            if gc.get_count()[0] >= COLLECT_FROM_OBJECTS:
                rawgc.collect()
        return self._channel.receive()

    def _pause_threads(self) -> None:
        """Another mold is being made, whose threads will do the same."""
        paused = self._schedulers.pause()
        if paused:
            self._notice("info", f"{paused} scheduler(s) rest in the mold {self._generation}")

    def _take_census(self) -> None:
        if self._scout is not None:
            # Its answer is still to come.
            return
        folder = self._order["runtime_directory"]
        try:
            self._scout = CensusScout(os.path.join(folder, f"{FILE_PREFIX}{self._generation}"))
        except OSError as error:
            self._send({"type": "census_failed", "reason": f"no scout could be forked: {error}"})

    def _fork(self, slot_number: int) -> WorkerStart | None:
        """Forks a worker; returns only in the worker, or None."""
        arbiter = self._arbiter
        worker = None
        try:
            worker = arbiter.spawn(self._keeper_pid)
            fork = WorkerFork.prepare()
            forked_monotonic_ns = time.monotonic_ns()
            pid = fork.run()
        except Exception as error:
            # Of the system (no process, no descriptor left), or of the app's pre_fork hook.
            arbiter.log.exception("Exception while a worker was forked")
            if worker is not None:
                worker.tmp.close()
            reason = f"{type(error).__name__}: {error}"
            self._send({"type": "fork_failed", "slot": slot_number, "reason": reason})
            return None
        if pid == 0:
            return self._become_worker(worker, slot_number, fork, forked_monotonic_ns)
        worker.pid = pid
        arbiter.WORKERS[pid] = worker
        self._channel.send(
            {
                "type": "forked",
                "slot": slot_number,
                "pid": pid,
                "age": worker.age,
                "forked_monotonic_ns": forked_monotonic_ns,
            },
            fork.for_the_keeper,
        )
        fork.finish()
        return None

    def _become_worker(
        self, worker: Any, slot_number: int, fork: WorkerFork, forked_monotonic_ns: int
    ) -> WorkerStart:
        """In the worker: lets go of all that is the mold's, its channel before all."""
        self._channel.close()
        self._channel = fork.channel
        for sibling in self._arbiter.WORKERS.values():
            sibling.tmp.close()
        if self._scout is not None:
            self._scout.let_go()
            self._scout = None
        return WorkerStart(
            worker=worker,
            arbiter=self._arbiter,
            keeper_pid=self._keeper_pid,
            generation=self._generation,
            slot=Slot.map(slot_number, fork.row),
            row_descriptor=fork.row,
            forked_monotonic_ns=forked_monotonic_ns,
            channel=fork.channel,
            apply_policy=self._heap.applier(fork.channel),
            leaves_without_finalization=self._heap.leaves_without_finalization,
        )

    def _forget_worker(self, message: Message) -> None:
        worker = self._arbiter.WORKERS.pop(message["pid"], None)
        if worker is not None:
            worker.tmp.close()
            if self._arbiter.cfg.perf_names:
                perf_names.forget(message["pid"])
            self._call_hook("child_exit", self._arbiter.cfg.child_exit, worker)

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

    # Talking

    def _receive_listeners(self) -> None:
        message, received = self._channel.receive()
        while message is not None and message["type"] == "reopen_logs":
            self._arbiter.log.reopen_files()
            message, received = self._channel.receive()
        if message is None or message["type"] == "exit":
            leave(0)
        if message["type"] != "listeners":
            raise MoldFailure("PROTOCOL_MISMATCH", f"expected listeners, got {message['type']}")
        self._arbiter.take_listeners(received, message["families"], message["inherited"])

    def _send(self, message: Message) -> None:
        self._channel.send(message)

    def _notice(self, level: str, text: str) -> None:
        self._send({"type": "notice", "level": level, "text": text})

    def _progress(
        self,
        phase: str,
        text: str,
        seconds: float,
        done: int = 0,
        total: int | None = None,
        final: bool = False,
    ) -> None:
        message: Message = {
            "type": "progress",
            "phase": phase,
            "text": text,
            "done": done,
            "seconds": seconds,
            "final": final,
        }
        if total is not None:
            message["total"] = total
        self._send(message)


def _receive_order(channel: Channel) -> dict[str, Any]:
    carried = os.environ.pop(ORDER_VARIABLE, None)
    if carried is not None:
        order: dict[str, Any] = json.loads(carried)
        return order
    message, _ = channel.receive()
    if message is None or message["type"] != "order":
        raise SystemExit("mold: the keeper left before it gave an order")
    return message


def _import_ahead() -> None:
    """Imports what every mold needs, while the keeper still starts and has no order to give."""
    # Without gunicorn, or with one that is too old, the order's own steps say so.
    with contextlib.suppress(Exception):
        from gunicorn import util

        from cowherd_agent import arbiter, configuration, herd_heap, worker  # noqa: F401

        # Each worker does it, with a hash that is imported then (random.py, Random.seed).
        util.seed()


def _require_gunicorn() -> None:
    try:
        import gunicorn
    except ImportError as error:
        raise MoldFailure("NO_GUNICORN", sys.executable) from error
    if int(gunicorn.__version__.split(".")[0]) < OLDEST_GUNICORN:
        raise MoldFailure(
            "GUNICORN_TOO_OLD", f"gunicorn {gunicorn.__version__} in {sys.executable}"
        )


def main(arguments: Sequence[str]) -> NoReturn:
    """Runs a mold; ``arguments`` are gunicorn's own."""
    channel = Channel.inherited(CHANNEL_DESCRIPTOR)
    process_name.set_name(NAME)
    _import_ahead()
    mold = Mold(channel, _receive_order(channel), list(arguments))
    del channel
    mold.get_ready(mold.prepare)
    # A turn for each generation that this process is the mold of, at the same depth of the stack.
    while True:
        start = mold.serve()
        # Only in a worker, and what follows only in one that has retired.
        retirement = _serve_requests(start)
        mold.take_over(start, retirement)
        # The worker's objects are garbage now, to be collected before the heap is prepared.
        del start, retirement
        mold.get_ready(mold.prepare_again)


def _serve_requests(start: WorkerStart) -> Retirement:
    from cowherd_agent.worker import run

    return run(start)
