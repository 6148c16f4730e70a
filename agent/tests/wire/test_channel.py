"""The packet socket between a keeper and its mold."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator

import pytest
from cowherd_agent.wire.channel import Channel
from cowherd_agent.wire.messages import LARGEST_PACKET_BYTES


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, Channel]]:
    """The keeper's end, and the mold's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    yield ours, Channel(theirs)
    ours.close()
    theirs.close()


def test_each_message_is_one_packet(ends: tuple[socket.socket, Channel]) -> None:
    keeper, channel = ends
    channel.send({"type": "notice", "text": "ü"})
    channel.send({"type": "forked"})
    assert json.loads(keeper.recv(65536)) == {"type": "notice", "text": "ü"}
    assert json.loads(keeper.recv(65536)) == {"type": "forked"}
    keeper.send(b'{"type": "fork", "slot": 1}')
    assert channel.receive() == ({"type": "fork", "slot": 1}, [])


def test_descriptors_come_with_a_message(ends: tuple[socket.socket, Channel]) -> None:
    keeper, channel = ends
    reading, writing = os.pipe()
    socket.send_fds(keeper, [b'{"type": "listeners"}'], [reading, writing])
    message, received = channel.receive()
    assert message == {"type": "listeners"}
    os.write(received[1], b"through")
    assert os.read(reading, 10) == b"through"
    for descriptor in (reading, writing, *received):
        os.close(descriptor)


def test_the_end_of_the_keeper_is_no_message(ends: tuple[socket.socket, Channel]) -> None:
    keeper, channel = ends
    keeper.close()
    assert channel.receive() == (None, [])
    with pytest.raises(OSError):
        channel.send({"type": "notice"})
    assert channel.send_if_possible({"type": "notice"}) is False


def test_a_worker_never_waits_for_a_keeper_that_does_not_read(
    ends: tuple[socket.socket, Channel],
) -> None:
    keeper, channel = ends
    sent = 0
    while channel.send_if_possible({"type": "guard", "file": "x" * 1000}):
        sent += 1
    assert sent > 10
    assert json.loads(keeper.recv(65536))["type"] == "guard"
    assert channel.send_if_possible({"type": "guard"})


def test_a_text_that_is_too_long_keeps_its_end(ends: tuple[socket.socket, Channel]) -> None:
    keeper, channel = ends
    detail = "a" * LARGEST_PACKET_BYTES + "the error itself"
    channel.send({"type": "mold_failed", "code": "MOLD_DIED", "detail": detail})
    packet = keeper.recv(2 * LARGEST_PACKET_BYTES)
    assert len(packet) <= LARGEST_PACKET_BYTES
    message = json.loads(packet)
    assert message["code"] == "MOLD_DIED"
    assert message["detail"].endswith("the error itself")


def test_what_is_no_object_is_refused(ends: tuple[socket.socket, Channel]) -> None:
    keeper, channel = ends
    keeper.send(b"[1, 2]")
    with pytest.raises(ValueError, match="JSON object"):
        channel.receive()


def test_a_new_program_keeps_the_channel_only_when_it_is_to() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    descriptor = theirs.detach()
    os.set_inheritable(descriptor, True)
    channel = Channel.inherited(descriptor)
    assert os.get_inheritable(channel.fileno()) is False
    channel.set_inheritable(True)
    assert os.get_inheritable(channel.fileno()) is True
    ours.close()
    os.close(descriptor)
