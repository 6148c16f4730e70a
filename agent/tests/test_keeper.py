"""The keeper's reading of its molds, with real sockets and no process."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from cowherd_agent.keeper import Keeper, Mold


@pytest.fixture
def told() -> Any:
    """A keeper with one mold: what the supervisor reads, the mold's end, and a turn of the loop."""
    supervisor, keepers_end = socket.socketpair()
    ours, molds_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    supervisor.settimeout(5)
    keeper = Keeper(keepers_end, None)
    keeper._poll.register(keepers_end)
    keeper._poll.register(ours)
    keeper._molds[ours.fileno()] = Mold(1, 0, ours)
    yield keeper, supervisor, molds_end
    for end in (supervisor, keepers_end, ours, molds_end):
        end.close()


def test_the_last_words_of_a_mold_that_left_something_unread(told: Any) -> None:
    keeper, supervisor, mold = told
    keeper._to_mold(1, {"type": "listeners", "families": []})
    mold.send(json.dumps({"type": "mold_failed", "code": "X", "detail": ""}).encode())
    mold.close()
    keeper._read_molds()
    relayed = json.loads(supervisor.recv(65536))
    assert relayed["type"] == "from_mold"
    assert relayed["message"]["type"] == "mold_failed"
    assert keeper._molds == {}
