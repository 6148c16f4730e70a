"""The canary: a child that tries out what can fail in a fork, before a new mold's workers get
traffic.

A lock held at the fork, a library that does not survive one, a shared connection: all of them show
when a child first resolves a name, opens a TLS context, opens the database, runs a collection or
answers a request, and often as a hang. A hanging canary is killed, with its Python stack on stderr.
If the canary fails, the mold is not used.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import os
import signal
import socket
import sys
import threading
from typing import Any, NamedTuple

from cowherd_agent.collection.request_counter import Interface
from cowherd_agent.forked_child import Outcome, Tell, run_in_child
from cowherd_agent.mold import database
from cowherd_agent.mold.herd_heap import HerdHeap
from cowherd_agent.warmup import warmup

TIMEOUT_SECONDS = 30.0

DATABASE_SECONDS = 5.0
"""An unreachable database must not look like a hang."""

# How long before the kill the stack is dumped.
_STACK_SECONDS = 0.5

_STDERR = 2


class Verdict(NamedTuple):
    """
    Attributes:
        reason: why the mold must not be used; empty if the canary succeeded.
        warning: a problem that the fork did not cause; empty if there is none.
        seconds: how long the canary took.
    """

    reason: str
    warning: str
    seconds: float


def is_wanted(occasion: str, health: str | None) -> bool:
    """Whether a mold made on this occasion sends a canary. A herd's first mold has no traffic to
    lose, so it does not pay for a canary unless asked to. Pure."""
    return health is not None or occasion != "first"


def send(
    heap: HerdHeap,
    arbiter: Any,
    app: Any,
    interface: Interface,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Verdict:
    """Forks a canary from this prepared mold and waits for it.

    `app` is the application; None where workers load it themselves, and then no request is tried.
    """

    def live(tell: Tell) -> None:
        faulthandler.dump_traceback_later(
            max(timeout_seconds - _STACK_SECONDS, 0.1), exit=False, file=_STDERR
        )
        _live(tell, heap, arbiter, app, interface)

    outcome = run_in_child(live, timeout_seconds)
    reason = outcome.fault("canary", timeout_seconds)
    warning = ""
    if not reason:
        reason, warning = _judge_database(outcome)
    return Verdict(reason, warning, outcome.seconds)


def _live(tell: Tell, heap: HerdHeap, arbiter: Any, app: Any, interface: Interface) -> None:
    tell(step="become a worker")
    _become_worker(heap, arbiter)
    tell(step="resolve a name")
    socket.getaddrinfo("localhost", 80)
    tell(step="open a TLS context")
    _open_tls_context()
    tell(step="open the database")
    tell(database=_open_database())
    tell(step="collect garbage")
    gc.collect()
    health = arbiter.cfg.health
    if health is not None and app is not None:
        tell(step="run the hooks of a new worker")
        _run_hooks(arbiter)
        tell(step=f"answer {health}")
        _require_health(app, interface, health)
    # The canary does not try the interpreter's end: a hook may have started threads. Output that
    # can't be flushed may be lost with the herd's terminal, which is no fault of this generation.
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


def _become_worker(heap: HerdHeap, arbiter: Any) -> None:
    """First steps of gunicorn's Worker.init_process, and of a gevent worker."""
    from gunicorn import util

    heap.apply_on_trial()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    gevent: Any = sys.modules.get("gevent")
    if gevent is not None:
        gevent.reinit()
    cfg = arbiter.cfg
    os.environ.update(cfg.env or {})
    util.set_owner_process(cfg.uid, cfg.gid, initgroups=cfg.initgroups)


def _open_tls_context() -> None:
    try:
        import ssl
    except ImportError:
        # An interpreter built without ssl.
        return
    ssl.create_default_context()


def _open_database() -> str | None:
    """Returns the error, or None. Runs in a thread, whose end need not be awaited."""
    if not database.is_configured():
        return None
    results: list[str | None] = []
    thread = threading.Thread(target=lambda: results.append(database.why_not_open()), daemon=True)
    thread.start()
    thread.join(DATABASE_SECONDS)
    return results[0] if results else database.NO_ANSWER


def _judge_database(outcome: Outcome) -> tuple[str, str]:
    """Returns reason and warning: an error that the mold has too is not the fork's fault."""
    fault = outcome.found.get("database")
    if fault is None:
        return "", ""
    if fault == database.NO_ANSWER:
        in_mold = database.why_not_reachable(DATABASE_SECONDS)
    else:
        in_mold = database.why_not_open()
        warmup.close_connections()
    if in_mold is None:
        return f"the canary failed to open the database, which the mold can open: {fault}", ""
    return "", f"neither workers nor the mold can open the database: {fault}"


def _run_hooks(arbiter: Any) -> None:
    cfg = arbiter.cfg
    worker = arbiter.worker_class(
        arbiter.worker_age + 1,
        os.getppid(),
        arbiter.LISTENERS,
        arbiter.app,
        arbiter.timeout / 2.0,
        cfg,
        arbiter.log,
    )
    worker.pid = os.getpid()
    cfg.after_fork(arbiter, worker)
    cfg.post_fork(arbiter, worker)
    worker.load_wsgi()
    cfg.post_worker_init(worker)


def _require_health(app: Any, interface: Interface, health: str) -> None:
    (result,) = warmup.play(app, interface, [health], with_lifespan=True)
    if result.error is not None:
        raise RuntimeError(result.error)
    if not 200 <= result.status < 400:
        raise RuntimeError(f"status {result.status}")
