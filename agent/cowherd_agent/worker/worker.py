"""A worker: gunicorn's own worker class, run unchanged in a process forked from the mold."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.errors import AppImportError

from cowherd_agent.collection import guard
from cowherd_agent.leaving.leaving import leave
from cowherd_agent.wire import scoreboard
from cowherd_agent.worker import (
    asgi_drain,
    gevent_drain,
    in_flight,
    merge_signal,
    perf_names,
    process_name,
    stack,
    uvicorn_drain,
)
from cowherd_agent.worker.finishing import Finishing
from cowherd_agent.worker.retiring import Retirement
from cowherd_agent.worker.worker_signals import around_init_signals
from cowherd_agent.worker.worker_start import WorkerStart

NAME = "cowherd-worker"


def run(start: WorkerStart) -> Retirement:
    """Serves until told to stop, then leaves, without finalizing the interpreter unless the policy
    is ``stock``. Returns only if this worker is to become a mold.

    Exit statuses are gunicorn's: 3 when the worker can't boot, 4 when the app can't be loaded.
    """
    pid = os.getpid()
    process_name.set_name(NAME)
    start.slot.claim(pid, start.generation, start.forked_monotonic_ns)
    _wait_for_adoption(start.keeper_pid)
    start.apply_policy(start.slot)
    retirement = Retirement(start)
    retirement.listen()
    Finishing(start).listen()
    in_flight.arrange(start)
    merge_signal.arrange(start)
    if start.arbiter.cfg.perf_names:
        perf_names.arrange(start.channel)
    status = _serve(start, pid, retirement)
    if retirement.asked and status == 0:
        return retirement
    if start.leaves_without_finalization:
        leave(status)
    guard.process_leaves()
    sys.exit(status)


def _serve(start: WorkerStart, pid: int, retirement: Retirement) -> int:
    worker, arbiter, log = start.worker, start.arbiter, start.arbiter.log
    worker.pid = pid
    _report_heartbeats(start)
    _exit_on_reraised_signals(worker)
    asgi_drain.install()
    gevent_drain.install()
    uvicorn_drain.install(float(arbiter.cfg.graceful_timeout))
    stack.arrange(worker, start.row_descriptor)
    try:
        process_name.set_title(NAME, f"worker [{arbiter.proc_name}]")
        log.info("Booting worker with pid: %s", pid)
        arbiter.cfg.after_fork(arbiter, worker)
        arbiter.cfg.post_fork(arbiter, worker)
        worker.init_process()
        return 0
    except SystemExit as leaving:
        return _status(leaving)
    except AppImportError as error:
        log.debug("Exception while loading the application", exc_info=True)
        print(error, file=sys.stderr, flush=True)
        _report_failure(start, "APP_IMPORT_FAILED", str(error))
        return int(Arbiter.APP_LOAD_ERROR)
    except Exception as error:
        log.exception("Exception in worker process")
        _report_failure(start, "WORKER_BOOT_FAILED", f"{type(error).__name__}: {error}")
        return 1 if worker.booted else int(Arbiter.WORKER_BOOT_ERROR)
    finally:
        start.slot.words[scoreboard.STATE] = scoreboard.STATE_LEAVING
        log.info("Worker %s (pid: %s)", "retiring" if retirement.asked else "exiting", pid)
        try:
            worker.tmp.close()
            arbiter.cfg.worker_exit(arbiter, worker)
        except Exception:
            log.warning("Exception during worker exit:\n%s", traceback.format_exc())


def _status(leaving: SystemExit) -> int:
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    print(leaving.code, file=sys.stderr, flush=True)
    return 1


def _wait_for_adoption(keeper_pid: int) -> None:
    """Waits until the intermediate process of the double fork is gone.

    gunicorn's workers leave when their parent is not the expected one (gunicorn/workers/sync.py,
    is_parent_alive).
    """
    deadline = time.monotonic() + 5.0
    while os.getppid() != keeper_pid and time.monotonic() < deadline:
        time.sleep(0.0002)


def _report_heartbeats(start: WorkerStart) -> None:
    """Writes a heartbeat to the scoreboard at every ``notify()``; the first one reports 'ready'."""
    words = start.slot.words
    original = start.worker.notify
    announced = False

    def notify() -> None:
        nonlocal announced
        now = time.monotonic_ns()
        words[scoreboard.HEARTBEAT_MONOTONIC_NS] = now
        if not announced:
            announced = True
            words[scoreboard.READY_MONOTONIC_NS] = now
            words[scoreboard.STATE] = scoreboard.STATE_READY
            start.channel.send_if_possible({"type": "worker_ready"})
        original()

    words[scoreboard.HEARTBEAT_MONOTONIC_NS] = time.monotonic_ns()
    start.worker.notify = notify


def _exit_on_reraised_signals(worker: Any) -> None:
    """Makes an ordinary exit of the SIGTERM that uvicorn raises again after its drain
    (uvicorn/server.py, capture_signals): it would end the process before the app's atexit hooks."""

    def exit_instead() -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, lambda _number, _frame: sys.exit(0))

    around_init_signals(worker, after=exit_instead)


def _report_failure(start: WorkerStart, code: str, detail: str) -> None:
    start.channel.send_if_possible({"type": "worker_failed", "code": code, "detail": detail})
