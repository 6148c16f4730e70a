"""The counter: every request is counted once, whatever the application does."""

from __future__ import annotations

import asyncio
import threading
from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from cowherd_agent.collection.request_counter import RequestCounter, wrap
from cowherd_agent.wire import scoreboard


class RecordingCollector:
    """Records how many requests were in flight each time it was told of an end."""

    def __init__(self) -> None:
        self.in_flight: list[int] = []

    def request_finished(self, in_flight: int = 0) -> None:
        self.in_flight.append(in_flight)


class Counted:
    def __init__(self) -> None:
        self.words = memoryview(array("Q", [0] * scoreboard.ROW_WORDS))
        self.collector = RecordingCollector()
        self.counter = RequestCounter()
        self.counter.bind(self.words, self.collector)

    @property
    def counts(self) -> tuple[int, int, int]:
        """Started, finished, failed."""
        return (
            self.words[scoreboard.REQUESTS_STARTED],
            self.words[scoreboard.REQUESTS_FINISHED],
            self.words[scoreboard.RESPONSE_ERRORS],
        )


@pytest.fixture
def counted() -> Counted:
    return Counted()


class FileWrapper:
    """Like gunicorn's (gunicorn/http/wsgi.py), which gunicorn looks for when it sends files."""

    def __init__(self, file: Iterator[bytes]) -> None:
        self.file = file
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return self.file

    def close(self) -> None:
        self.closed += 1


def ignore(*_arguments: object) -> None:
    pass


def call(app: Any) -> Any:
    return app({"wsgi.file_wrapper": FileWrapper}, ignore)


def test_a_request_ends_when_its_answer_is_closed(counted: Counted) -> None:
    app = wrap(lambda environ, start_response: [b"a", b"b"], "wsgi", counted.counter)
    body = call(app)
    assert counted.counts == (1, 0, 0)
    assert list(body) == [b"a", b"b"]
    assert counted.counts == (1, 0, 0)
    body.close()
    assert counted.counts == (1, 1, 0)
    assert counted.collector.in_flight == [0]
    # gunicorn closes once; a middleware may close again.
    body.close()
    assert counted.counts == (1, 1, 0)


def test_the_answers_own_close_is_called_first_even_if_it_fails(counted: Counted) -> None:
    class Body:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"x"])

        def close(self) -> None:
            assert counted.counts == (1, 0, 0)
            raise OSError("no more")

    body = call(wrap(lambda environ, start_response: Body(), "wsgi", counted.counter))
    with pytest.raises(OSError, match="no more"):
        body.close()
    assert counted.counts == (1, 1, 0)


def test_the_answer_can_be_freed_by_the_collection_that_follows(counted: Counted) -> None:
    import weakref

    class Body(list[bytes]):
        def close(self) -> None:
            pass

    alive: list[bool] = []
    references: list[weakref.ref[Body]] = []

    class LookingCollector(RecordingCollector):
        def request_finished(self, in_flight: int = 0) -> None:
            alive.append(references[0]() is not None)

    counted.counter.bind(counted.words, LookingCollector())

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        body = Body([b"x"])
        references.append(weakref.ref(body))
        return body

    body = call(wrap(app, "wsgi", counted.counter))
    body.close()
    assert alive == [False]


def test_an_application_that_raises_is_counted_as_an_error(counted: Counted) -> None:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        raise LookupError("no table")

    with pytest.raises(LookupError):
        call(wrap(app, "wsgi", counted.counter))
    assert counted.counts == (1, 1, 1)


def test_a_file_is_handed_on_as_gunicorn_knows_it(counted: Counted) -> None:
    file = FileWrapper(iter([b"data"]))
    body = call(wrap(lambda environ, start_response: file, "wsgi", counted.counter))
    # Otherwise gunicorn would not use sendfile().
    assert body is file
    assert counted.counts == (1, 0, 0)
    body.close()
    assert file.closed == 1
    assert counted.counts == (1, 1, 0)


def test_streaming_costs_nothing_extra_for_a_chunk(counted: Counted) -> None:
    chunks = iter([b"x"] * 3)
    body = call(wrap(lambda environ, start_response: chunks, "wsgi", counted.counter))
    assert iter(body) is chunks


def test_threads_lose_no_count(counted: Counted) -> None:
    app = wrap(lambda environ, start_response: [b""], "wsgi", counted.counter)

    def serve() -> None:
        for _ in range(2000):
            call(app).close()

    threads = [threading.Thread(target=serve) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted.counts == (16_000, 16_000, 0)


def asgi(app: Callable[..., Any], counted: Counted, kind: str = "http") -> Callable[[], None]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        pass

    wrapped = wrap(app, "asgi", counted.counter)
    return lambda: asyncio.run(wrapped({"type": kind}, receive, send))


def test_an_asgi_call_is_a_request(counted: Counted) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert counted.counts == (1, 0, 0)

    asgi(app, counted)()
    assert counted.counts == (1, 1, 0)
    assert counted.collector.in_flight == [0]


def test_an_asgi_request_ends_with_its_response_and_not_with_the_call(counted: Counted) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        assert counted.counts == (1, 0, 0)
        await send({"type": "http.response.body", "body": b"b"})
        assert counted.counts == (1, 1, 0)

    asgi(app, counted)()
    assert counted.counts == (1, 1, 0)
    assert counted.collector.in_flight == [0]


@pytest.mark.parametrize(
    ("error", "errors"), [(LookupError("no table"), 1), (asyncio.CancelledError(), 0)]
)
def test_a_call_that_fails_after_its_response_is_an_error_unless_it_is_cancelled(
    counted: Counted, error: BaseException, errors: int
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.pathsend", "path": "/srv/file"})
        raise error

    with pytest.raises(type(error)):
        asgi(app, counted)()
    assert counted.counts == (1, 1, errors)


def test_a_lifespan_is_none(counted: Counted) -> None:
    calls = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        calls.append(scope["type"])

    asgi(app, counted, "lifespan")()
    asgi(app, counted, "websocket")()
    assert calls == ["lifespan", "websocket"]
    assert counted.counts == (1, 1, 0)


@pytest.mark.parametrize("error", [LookupError("no table"), asyncio.CancelledError()])
def test_an_asgi_call_that_ends_badly_is_counted_as_an_error(
    counted: Counted, error: BaseException
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise error

    with pytest.raises(type(error)):
        asgi(app, counted)()
    assert counted.counts == (1, 1, 1)


def test_requests_in_flight_are_told_to_the_collector(counted: Counted) -> None:
    app = wrap(lambda environ, start_response: [b""], "wsgi", counted.counter)
    bodies = [call(app) for _ in range(3)]
    for body in bodies:
        body.close()
    assert counted.collector.in_flight == [2, 1, 0]


def test_nothing_is_counted_in_the_mold() -> None:
    counter = RequestCounter()
    body = call(wrap(lambda environ, start_response: [b"x"], "wsgi", counter))
    assert list(body) == [b"x"]
    body.close()


def test_the_application_is_still_what_it_was(counted: Counted) -> None:
    class App:
        name = "shop"

        def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
            return []

    for interface in ("wsgi", "asgi"):
        assert wrap(App(), interface, counted.counter).name == "shop"
    # gunicorn itself reports what is wrong with this.
    assert wrap(42, "wsgi", counted.counter) == 42
