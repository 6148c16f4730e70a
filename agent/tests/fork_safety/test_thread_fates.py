"""The fate of threads in workers, judged by what a child has of them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest
from cowherd_agent.fork_safety import Advisory, look_at_threads, native_fates
from cowherd_agent.fork_safety.native_threads import NativeThread
from cowherd_agent.fork_safety.thread_fates import find, judge
from cowherd_agent.fork_safety.thread_look import threads_in_child
from cowherd_agent.fork_safety.threads import RunningThread


def thread(code: str, name: str = "t", module: str = "") -> RunningThread:
    return RunningThread(name, "/srv/shop.py:7", code, module or code.partition(".")[0], 1)


def fates(*threads: RunningThread, child: tuple[RunningThread, ...] = ()) -> list[str]:
    return [fate.fate for fate in judge(threads, child)]


def test_a_thread_that_a_child_has_returns_whatever_its_name_is_there() -> None:
    exporter = thread("tracing.Exporter.run", "exporter-1")
    assert fates(exporter, child=(thread("tracing.Exporter.run", "exporter-2"),)) == ["returns"]
    assert fates(exporter) == ["missing"]
    # One of two came back.
    assert fates(exporter, exporter, child=(exporter,)) == ["returns", "missing"]


@pytest.mark.parametrize(
    ("code", "fate"),
    [
        ("sentry_sdk.worker.BackgroundWorker._target", "on use"),
        ("apscheduler.schedulers.blocking.BlockingScheduler._main_loop", "mold only"),
        ("multiprocessing.pool.Pool._handle_workers", "breaks"),
        ("shop.stats.flush", "missing"),
        ("sentry_sdk_of_ours.work", "missing"),
    ],
)
def test_known_libraries_are_told_by_what_they_run(code: str, fate: str) -> None:
    assert fates(thread(code)) == [fate]


def test_only_what_somebody_has_to_decide_is_a_finding() -> None:
    judged = judge(
        [
            thread("sentry_sdk.worker.BackgroundWorker._target"),
            thread("apscheduler.schedulers.blocking.BlockingScheduler._main_loop"),
            thread("shop.stats.flush", "flusher", "shop.stats"),
            thread("multiprocessing.pool.Pool._handle_workers", "Thread-1", "shop.jobs"),
        ],
        (),
    )
    lines = [(finding.what, finding.is_known_to_break) for finding in find(judged)]
    assert lines == [
        (
            "thread 'flusher' of shop.stats, started at /srv/shop.py:7, runs in the mold, and in"
            " no worker",
            False,
        ),
        (
            "thread 'Thread-1' of shop.jobs, started at /srv/shop.py:7: in a worker a call to the"
            " pool waits for ever: its threads are not there",
            True,
        ),
    ]
    # A scheduler's jobs, and the other thread's work, keep running in the mold alone.
    assert [fate.stays_in_mold for fate in judged] == [False, True, True, False]


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    stop = threading.Event()
    yield stop
    stop.set()


def test_a_child_is_forked_and_tells_what_it_has(stop: threading.Event) -> None:
    def lives_once() -> None:
        stop.wait()

    def comes_back() -> None:
        stop.wait()

    def start() -> None:
        if not stop.is_set():
            threading.Thread(target=comes_back, name="again", daemon=True).start()

    os.register_at_fork(after_in_child=start)
    threading.Thread(target=lives_once, name="once", daemon=True).start()
    start()
    assert [each.name for each in threads_in_child().of_python] == ["again"]
    found = look_at_threads(Advisory(pytest.fail, pytest.fail), 0.01)
    assert {fate.thread.name: fate.fate for fate in found.fates} == {
        "once": "missing",
        "again": "returns",
    }


def test_threads_that_are_about_to_end_are_waited_for(stop: threading.Event) -> None:
    threading.Timer(0.05, stop.set).start()
    threading.Thread(target=stop.wait).start()
    assert look_at_threads(Advisory(pytest.fail, pytest.fail), 30).fates == []


def test_native_threads_are_judged_by_library_and_by_what_a_child_has() -> None:
    blas = NativeThread("python3", "numpy.libs/libscipy_openblas64_-a1.so")
    made_at_import = NativeThread("polars-ooc-clea", "_polars_runtime.abi3.so")
    nobodys = NativeThread("cowherd-mold", "")
    queries = NativeThread("polars-0", "_polars_runtime.abi3.so")
    unknown = NativeThread("shop-io", "libshop.so.1")
    assert native_fates.find([blas, made_at_import, nobodys]) == []
    (broken,) = native_fates.find([queries, queries])
    assert broken.is_known_to_break and "polars" in broken.what
    (told,) = native_fates.find([unknown, unknown])
    assert "2 native thread(s) named 'shop-io', of libshop.so.1" in told.what
    assert not told.is_known_to_break
    assert native_fates.without_returned([unknown, unknown, blas], [unknown]) == [unknown, blas]
