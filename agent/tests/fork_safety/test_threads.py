"""Which threads are found, and where they are reported to have been started."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Iterator

import pytest
from cowherd_agent.fork_safety import threads
from cowherd_agent.fork_safety.native_threads import count, count_of_python
from cowherd_agent.fork_safety.threads import running


@pytest.fixture
def recorded() -> Iterator[None]:
    original = threading.Thread.start
    threads.record_starts()
    yield
    threading.Thread.start = original  # type: ignore[method-assign]


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


@pytest.mark.usefixtures("recorded")
def test_a_thread_is_found_with_its_name_and_place(stop: threading.Event) -> None:
    assert running() == []
    thread = threading.Thread(target=stop.wait, name="flusher")
    place = here()
    thread.start()
    (found,) = running()
    assert (found.name, found.started_at) == ("flusher", place)
    assert found.native_id == thread.native_id
    assert count() == count_of_python() == 2
    stop.set()
    thread.join()
    assert running() == []


@pytest.mark.usefixtures("recorded")
def test_a_thread_of_the_standard_library_is_said_to_be_of_who_asked_for_it(
    stop: threading.Event,
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(1, thread_name_prefix="pool")
    place = here()
    pool.submit(stop.wait)
    (thread,) = running()
    assert (thread.name, thread.started_at) == ("pool_0", place)
    assert thread.code == "concurrent.futures.thread._worker"
    stop.set()
    pool.shutdown()


def test_a_thread_that_was_started_before_is_found_all_the_same(stop: threading.Event) -> None:
    def of_a_library() -> None:
        stop.wait()

    thread = threading.Thread(target=of_a_library, name="early")
    thread.start()
    (found,) = running()
    assert (found.name, found.started_at) == ("early", "unknown")
    # Nobody knows where it was started, but its code is known.
    assert found.module == __name__
    assert found.description == f"thread 'early' of {__name__}"
    stop.set()
    thread.join()


@pytest.mark.usefixtures("recorded")
def test_a_second_generation_records_no_second_time() -> None:
    recording = threading.Thread.start
    threads.record_starts()
    assert threading.Thread.start is recording


@pytest.mark.usefixtures("recorded")
def test_a_subclass_with_a_start_of_its_own_is_found(stop: threading.Event) -> None:
    class Watcher(threading.Thread):
        def start(self) -> None:
            super().start()

        def run(self) -> None:
            stop.wait()

    watcher = Watcher(name="watcher")
    watcher.start()
    (thread,) = running()
    assert thread.name == "watcher"
    assert thread.started_at.startswith(__file__)
    stop.set()
    watcher.join()


def test_what_a_thread_runs_is_told_of_objects_that_are_no_functions(
    stop: threading.Event,
) -> None:
    class Flusher(threading.Thread):
        def run(self) -> None:
            stop.wait()

    class Strange:
        def __call__(self) -> None:
            stop.wait()

        def __getattr__(self, name: str) -> object:
            raise RuntimeError(name)

    started = [
        Flusher(),
        threading.Thread(target=functools.partial(stop.wait)),
        threading.Thread(target=Strange(), name="strange"),
    ]
    for thread in started:
        thread.start()
    assert [each.code for each in running()] == [
        f"{Flusher.__module__}.{Flusher.__qualname__}",
        "threading.Thread",
        "threading.Thread",
    ]
    stop.set()
    for thread in started:
        thread.join()
