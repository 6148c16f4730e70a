"""How many connections wait to be accepted."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from cowherd_agent.keeper.listen_queue import Queue, queue_of, read_unix_answer


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_tcp(host: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listening:
        try:
            listening.bind((host, 0))
        except OSError:
            pytest.skip(f"{host} is not there")
        listening.listen(7)
        assert queue_of(listening) == Queue(0, 7)
        waiting = [socket.create_connection(listening.getsockname()[:2]) for _ in range(3)]
        assert queue_of(listening) == Queue(3, 7)
        listening.accept()[0].close()
        assert queue_of(listening) == Queue(2, 7)
        for each in waiting:
            each.close()


def test_unix(tmp_path: Path) -> None:
    path = str(tmp_path / "web.sock")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(7)
        assert queue_of(listening) == Queue(0, 7)
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(3)]
        for each in waiting:
            each.connect(path)
        assert queue_of(listening) == Queue(3, 7)
        for each in waiting:
            each.close()


def test_what_is_no_listening_socket_has_no_queue_of_the_kernels() -> None:
    closed = socket.socket()
    closed.close()
    assert queue_of(closed) is None


# From Linux 6.18: an error, and an answer with other attributes.
ERROR = bytes.fromhex("24000000020000000000000000000000feffffff180000001400010000000000") + bytes(4)
OTHERS = (
    bytes.fromhex("28000000140000000000000000000000")
    + bytes(16)
    + bytes.fromhex("0500060001000000")
)


@pytest.mark.parametrize("answer", [ERROR, OTHERS])
def test_an_answer_that_says_something_else(answer: bytes) -> None:
    assert read_unix_answer(answer) is None
