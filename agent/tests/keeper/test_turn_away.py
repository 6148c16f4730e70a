"""A listening socket that turns new connections away keeps those that are queued."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from cowherd_agent.keeper import turn_away
from cowherd_agent.keeper.listeners import Listener, listen_on
from cowherd_agent.keeper.turn_away import count_handshakes

# Lines of /proc/net/tcp (Documentation/networking/proc_net_tcp.rst): a listener, a connection being
# made, an established one, and one being made to another port.
TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 33110 1
   1: 0100007F:1F90 0100007F:C350 03 00000000:00000000 01:00000064 00000000     0        0 0 1
   2: 0100007F:1F90 0100007F:C351 01 00000000:00000000 00:00000000 00000000     0        0 33112 1
   3: 0100007F:1F91 0100007F:C352 03 00000000:00000000 01:00000064 00000000     0        0 0 1
"""


def test_handshakes_are_counted_by_port() -> None:
    assert count_handshakes(TABLE.splitlines(), [8080]) == 1
    assert count_handshakes(TABLE.splitlines(), [8080, 8081]) == 2
    assert count_handshakes(TABLE.splitlines(), [80]) == 0
    assert count_handshakes([], [8080]) == 0


@pytest.fixture(params=["127.0.0.1", "::1"])
def listening(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    host: str = request.param
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as made:
        try:
            made.bind((host, 0))
        except OSError:
            pytest.skip(f"{host} is not there")
        made.listen(16)
        yield made


def turns_away(listening: socket.socket, *, with_error: type[OSError]) -> None:
    """Queued connections stay, established ones keep working, and late ones are not let in."""
    address = listening.getsockname()[:2]
    queued = [socket.create_connection(address) for _ in range(3)]
    for number, client in enumerate(queued):
        client.sendall(b"%d" % number)
    turn_away.turn_away_tcp(listening)
    # Sent afterwards: an established connection is not affected.
    queued[0].sendall(b" more")
    with pytest.raises(with_error):
        socket.create_connection(address, timeout=0.3)
    accepted = [listening.accept()[0] for _ in queued]
    listening.setblocking(False)
    with pytest.raises(BlockingIOError):
        listening.accept()
    assert sorted(each.recv(16) for each in accepted) == [b"0 more", b"1", b"2"]
    # Accepted in the order of arrival.
    accepted[0].sendall(b"answer")
    assert queued[0].recv(16) == b"answer"
    listening.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=20)
    for each in [*queued, *accepted]:
        each.close()


def test_tcp_refuses_at_once(listening: socket.socket) -> None:
    turns_away(listening, with_error=ConnectionRefusedError)


def test_tcp_where_the_kernel_has_only_filters(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An option number that no kernel has.
    monkeypatch.setattr(turn_away, "_SO_BINDTOIFINDEX", 9999)
    with socket.socket(listening.family) as probe:
        try:
            turn_away.turn_away_tcp(probe)
        except PermissionError:
            pytest.skip("this kernel gives a user no filter for TCP")
    turns_away(listening, with_error=TimeoutError)


def unix_listener(path: Path) -> Listener:
    return listen_on(
        {"kind": "unix", "path": str(path)},
        backlog=16,
        reuse_port=False,
        umask=0,
        uid=os.geteuid(),
        gid=os.getegid(),
    )


def test_unix(tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    listener = unix_listener(path)
    with socket.socket(socket.AF_UNIX) as queued, socket.socket(socket.AF_UNIX) as late:
        queued.connect(str(path))
        queued.sendall(b"first")
        listener.turn_away()
        with pytest.raises(FileNotFoundError):
            late.connect(str(path))
        with listener.socket.accept()[0] as accepted:
            assert accepted.recv(16) == b"first"
    listener.close()


def test_a_socket_file_of_another_server_stays(tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    listener = unix_listener(path)
    path.unlink()
    other = unix_listener(path)
    listener.turn_away()
    assert path.exists()
    listener.close()
    other.close()
    assert not path.exists()
