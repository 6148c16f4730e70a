"""Connections that are kept when a uvicorn worker leaves: a request on its way is answered."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

import pytest
from cowherd_agent.worker import uvicorn_drain

uvicorn = pytest.importorskip("uvicorn", reason="needs uvicorn")

REQUEST = b"%s / HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\nhi"


async def app(scope: Any, _receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise RuntimeError(scope["type"])
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    from uvicorn.server import Server

    monkeypatch.setattr(Server, "shutdown", Server.shutdown)
    monkeypatch.setattr(uvicorn_drain, "LINGER_SECONDS", 0.5)
    uvicorn_drain.install(30.0)


async def answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(2)


async def with_kept_connection(then: Any) -> float:
    """Serves, has one request answered, is told to leave, and calls ``then`` with the kept
    connection. Returns the seconds that leaving took."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, lifespan="off", log_level="error", timeout_keep_alive=60)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve([listening]))
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(REQUEST % b"GET")
        assert b"connection: close" not in (await answer(reader)).lower()
        server.should_exit = True
        told = time.monotonic()
        await then(reader, writer)
        await serving
        writer.close()
        return time.monotonic() - told


def test_a_request_on_a_kept_connection_is_answered_and_is_the_last() -> None:
    async def send_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # After uvicorn has noticed that it is to leave (its loop looks every 0.1 s) and has read.
        await asyncio.sleep(0.1 + uvicorn_drain.READ_SECONDS + 0.1)
        writer.write(REQUEST % b"POST")
        told = (await answer(reader)).lower()
        assert told.startswith(b"http/1.1 200 ")
        assert b"connection: close" in told
        assert await reader.read() == b""

    asyncio.run(with_kept_connection(send_late))


def test_a_client_that_says_nothing_more_is_waited_for_and_then_left() -> None:
    async def wait(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        assert await reader.read() == b""

    assert asyncio.run(with_kept_connection(wait)) >= 0.5


def test_no_more_than_a_part_of_the_grace_period_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    from uvicorn.server import Server

    original: Any = Server.shutdown
    monkeypatch.setattr(uvicorn_drain, "LINGER_SECONDS", 60.0)
    monkeypatch.setattr(Server, "shutdown", original.__wrapped__)
    uvicorn_drain.install(0.2)

    async def wait(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        assert await asyncio.wait_for(reader.read(), 30) == b""

    asyncio.run(with_kept_connection(wait))
