"""The keeper's reading of its molds, with real sockets and no process."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from cowherd_agent.channel import Channel
from cowherd_agent.keeper import UNORDERED, Keeper, Mold


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


def test_a_worker_that_retires_gets_its_order_on_a_channel_of_its_own(told: Any) -> None:
    keeper, supervisor, mold = told
    forked = {"type": "forked", "slot": 0, "pid": 1234, "age": 1, "forked_monotonic_ns": 1}
    Channel(mold).send(forked)
    keeper._read_molds()
    supervisor.recv(65536)
    own, keepers = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with own:
        message = {"type": "retired", "pid": 1234, "requests_finished": 7}
        Channel(mold).send(message, [keepers.fileno()])
        keepers.close()
        keeper._read_molds()
        assert json.loads(supervisor.recv(65536)) == {
            "type": "from_mold",
            "generation": 1,
            "message": message,
        }
        # It is signalled as a mold from now on, and hears what is said to its generation.
        assert 1234 not in keeper._workers
        assert 1234 in keeper._children()
        assert sorted(each.generation for each in keeper._molds.values()) == [UNORDERED, 1]
        adopt = {"type": "adopt_mold", "pid": 1234, "generation": 2, "mold": {"occasion": "refork"}}
        keeper._command(adopt)
        assert Channel(own).receive() == ({"type": "order", "occasion": "refork"}, [])
        started = {"type": "mold_started", "generation": 2, "pid": 1234}
        assert json.loads(supervisor.recv(65536)) == started
        # Once, and nobody else.
        keeper._command(adopt)
        keeper._command({**adopt, "pid": 99})
        keeper._send({"type": "keeper_leaving"})
        assert json.loads(supervisor.recv(65536)) == {"type": "keeper_leaving"}
        keeper._to_mold(2, {"type": "exit", "final": True})
        assert Channel(own).receive()[0] == {"type": "exit", "final": True}


def test_any_message_may_come_with_nothing_to_read(told: Any) -> None:
    """The keeper never waits for a mold."""
    keeper, _, _ = told
    (descriptor,) = keeper._molds
    assert keeper._read_mold(descriptor) is False
