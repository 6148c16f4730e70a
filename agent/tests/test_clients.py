"""Clients that are closed before a fork, and come back after."""

from __future__ import annotations

import ctypes
import ctypes.util
import http.client
import logging
import logging.handlers
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cowherd_agent.clients import close_known, executors, log_listeners, openmp
from cowherd_agent.fork_safety import Advisory, threads
from cowherd_agent.forked_child import run_in_child


def strict() -> Advisory:
    return Advisory(pytest.fail, pytest.fail)


def in_child(work: Callable[[], object], seconds: float = 20) -> object:
    """Returns the work's result in a child; fails if the child does not end well."""
    outcome = run_in_child(lambda tell: tell(result=work()), seconds)
    assert outcome.fault("child", seconds) == ""
    return outcome.found["result"]


class TestPools:
    def test_idle_threads_end_and_come_back_on_use_here_and_in_a_child(self) -> None:
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(int, "12345")) == [1, 2, 3, 4, 5]
            assert executors.end_idle_threads() == 1
            assert threads.with_code(executors.CODE) == []
            assert in_child(lambda: list(pool.map(int, "678"))) == [6, 7, 8]
            assert list(pool.map(int, "90")) == [9, 0]
            assert executors.end_idle_threads() == 1

    def test_a_pool_that_works_is_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(executors, "IDLE_LOOKS", 25)
        go_on = threading.Event()
        with ThreadPoolExecutor(2) as pool:
            work = pool.submit(go_on.wait)
            waiting = [pool.submit(go_on.wait) for _ in range(3)]
            assert executors.end_idle_threads() == 0
            assert not work.done()
            go_on.set()
            assert all(each.result(20) for each in [work, *waiting])

    def test_a_pool_that_is_shut_down_stays_so(self) -> None:
        pool = ThreadPoolExecutor(1)
        pool.submit(int).result()
        pool.shutdown()
        assert executors.end_idle_threads() == 0
        with pytest.raises(RuntimeError):
            pool.submit(int)


def test_log_listeners_follow_forks() -> None:
    written: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(record.getMessage())

    records: queue.Queue[object] = queue.Queue()
    listener = logging.handlers.QueueListener(records, Handler())
    listener.start()
    log = logging.Logger("shop")
    log.addHandler(logging.handlers.QueueHandler(records))  # type: ignore[arg-type]
    assert log_listeners.follow_forks() == 1
    assert log_listeners.follow_forks() == 0

    def in_worker() -> list[str]:
        log.info("in the child")
        listener.stop()
        return written

    log.info("before")
    # Records queued at the fork are written once, and not again by the child.
    assert in_child(in_worker) == ["before", "in the child"]
    log.info("after")
    listener.stop()
    assert written == ["before", "after"]
    # A listener that its owner has stopped stays stopped.
    assert in_child(lambda: threads.with_code(log_listeners._CODE)) == []
    assert threads.with_code(log_listeners._CODE) == []


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"well")

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, int]]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield listening.server_address[:2]  # type: ignore[misc]
        listening.shutdown()
        thread.join()


def test_http_connections_are_closed_and_open_again_on_use(server: tuple[str, int]) -> None:
    connection = http.client.HTTPConnection(*server)

    def ask() -> bytes:
        connection.request("GET", "/")
        return connection.getresponse().read()

    assert ask() == b"well"
    assert connection.sock is not None
    assert "HTTP connections" in close_known([], strict())
    assert connection.sock is None
    assert ask() == b"well"


def test_one_client_that_fails_does_not_keep_others_from_being_closed(
    server: tuple[str, int],
) -> None:
    class Broken(http.client.HTTPConnection):
        def close(self) -> None:
            if self.sock is not None and not mended:
                raise RuntimeError("it is stuck")
            super().close()

    mended: list[bool] = []
    broken, good = Broken(*server), http.client.HTTPConnection(*server)
    broken.connect()
    good.connect()
    warnings: list[str] = []
    close_known([], Advisory(warnings.append, lambda _text: None))
    assert good.sock is None
    assert [warning.partition(";")[0] for warning in warnings] == [
        "Fork safety: closing HTTP connections failed (RuntimeError: it is stuck)"
    ]
    mended.append(True)
    broken.close()


def gomp() -> ctypes.CDLL:
    path = ctypes.util.find_library("gomp")
    if path is None:
        pytest.skip("libgomp is not installed")
    library = ctypes.CDLL(path)
    if not hasattr(library, "omp_pause_resource_all"):
        pytest.skip("libgomp is older than GCC 9")
    return library


def test_a_parallel_region_of_openmp_ends_in_a_child_whose_parent_has_run_one() -> None:
    library, nothing = gomp(), ctypes.CDLL(None).sched_yield

    def region() -> bool:
        library.GOMP_parallel(nothing, None, 4, 0)
        return True

    assert region()
    assert openmp.give_back_pools() == 1
    assert in_child(region) is True
    # Here too: other tests would find its threads.
    assert region()
    assert openmp.give_back_pools() == 1
