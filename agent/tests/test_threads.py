"""Which threads are found, and where they are said to have been started."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator

import pytest
from cowherd_agent.threads import RunningThread, ThreadRecorder, describe, native_threads


@pytest.fixture
def recorder() -> Iterator[ThreadRecorder]:
    recorder = ThreadRecorder()
    recorder.install()
    yield recorder
    recorder.remove()


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    stop = threading.Event()
    yield stop
    stop.set()


def here() -> str:
    """``file:line`` of the caller's next line."""
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    return f"{frame.f_back.f_code.co_filename}:{frame.f_back.f_lineno + 1}"


def test_a_thread_is_found_with_its_name_and_place(
    recorder: ThreadRecorder, stop: threading.Event
) -> None:
    assert recorder.running() == []
    thread = threading.Thread(target=stop.wait, name="flusher")
    place = here()
    thread.start()
    assert recorder.running() == [RunningThread("flusher", place)]
    assert describe(recorder.running()) == f"'flusher' started at {place}"
    assert native_threads() == threading.active_count()
    stop.set()
    thread.join()
    assert recorder.running() == []


def test_a_thread_of_the_standard_library_is_said_to_be_of_who_asked_for_it(
    recorder: ThreadRecorder, stop: threading.Event
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(1, thread_name_prefix="pool")
    place = here()
    pool.submit(stop.wait)
    (thread,) = recorder.running()
    assert thread == RunningThread("pool_0", place)
    stop.set()
    pool.shutdown()


def test_a_thread_that_was_started_before_is_found_all_the_same(stop: threading.Event) -> None:
    thread = threading.Thread(target=stop.wait, name="early")
    thread.start()
    recorder = ThreadRecorder()
    recorder.install()
    assert recorder.running() == [RunningThread("early", "unknown")]
    recorder.remove()
    stop.set()
    thread.join()


def test_the_interpreters_own_function_is_put_back() -> None:
    original = threading.Thread.start
    recorder = ThreadRecorder()
    recorder.remove()
    recorder.install()
    assert threading.Thread.start is not original
    recorder.remove()
    recorder.remove()
    assert threading.Thread.start is original


def test_a_subclass_with_a_start_of_its_own_is_found(
    recorder: ThreadRecorder, stop: threading.Event
) -> None:
    class Watcher(threading.Thread):
        def start(self) -> None:
            super().start()

        def run(self) -> None:
            stop.wait()

    watcher = Watcher(name="watcher")
    watcher.start()
    (thread,) = recorder.running()
    assert thread.name == "watcher"
    assert thread.started_at.startswith(__file__)
    stop.set()
    watcher.join()
