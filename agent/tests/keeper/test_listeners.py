"""Listening sockets: what can be bound, what is taken over, what is left alone."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cowherd_agent.keeper.listeners import Listener, ListenError, listen_on
from cowherd_agent.wire.settings_types import Address

Listen = Callable[[Address], Listener]


@pytest.fixture
def listen() -> Iterator[Listen]:
    made: list[Listener] = []

    def listen(address: Address, umask: int = 0o022) -> Listener:
        listener = listen_on(
            address,
            backlog=16,
            reuse_port=False,
            umask=umask,
            uid=os.geteuid(),
            gid=os.getegid(),
        )
        made.append(listener)
        return listener

    yield listen
    for each in made:
        each.close()


def unix(path: Path) -> Address:
    return {"kind": "unix", "path": str(path)}


def connects(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


def test_a_port_of_the_kernels_choice(listen: Listen) -> None:
    listener = listen({"kind": "tcp", "host": "127.0.0.1", "port": 0})
    port = listener.socket.getsockname()[1]
    assert listener.name == f"http://127.0.0.1:{port}"
    assert listener.family_name == "tcp"
    with socket.create_connection(("127.0.0.1", port), timeout=60):
        pass


def test_ipv6(listen: Listen) -> None:
    try:
        with socket.socket(socket.AF_INET6) as plain:
            plain.bind(("::1", 0))
    except OSError as error:
        pytest.skip(f"needs the loopback address of IPv6: {error}")
    listener = listen({"kind": "tcp", "host": "::1", "port": 0})
    assert listener.family_name == "tcp6"
    assert listener.name == f"http://[::1]:{listener.socket.getsockname()[1]}"


def test_a_port_in_use(listen: Listen) -> None:
    port = listen({"kind": "tcp", "host": "127.0.0.1", "port": 0}).socket.getsockname()[1]
    with pytest.raises(ListenError) as raised:
        listen({"kind": "tcp", "host": "127.0.0.1", "port": port})
    assert raised.value.code == "ADDRESS_IN_USE"
    assert raised.value.address == f"127.0.0.1:{port}"


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_ours(listen: Listen, host: str) -> None:
    with pytest.raises(ListenError) as raised:
        listen({"kind": "tcp", "host": host, "port": 0})
    assert raised.value.code == "ADDRESS_UNAVAILABLE"


def test_a_unix_socket_has_the_mode_of_the_umask_and_goes_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    before = os.umask(0o077)
    os.umask(before)
    listener = listen_on(
        unix(path),
        backlog=16,
        reuse_port=False,
        umask=0o007,
        uid=os.geteuid(),
        gid=os.getegid(),
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o770
    after = os.umask(before)
    assert after == before
    assert listener.name == f"unix:{path}"
    assert listener.family_name == "unix"
    assert connects(path)
    listener.close()
    assert not path.exists()


def test_a_dead_socket_file_is_taken_over(listen: Listen, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    listen(unix(path))
    assert connects(path)


def test_a_living_one_is_not(listen: Listen, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    listen(unix(path))
    with pytest.raises(ListenError) as raised:
        listen(unix(path))
    assert raised.value.code == "ADDRESS_IN_USE"
    assert connects(path)


def test_an_ordinary_file_is_left_alone(listen: Listen, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_text("precious")
    with pytest.raises(ListenError) as raised:
        listen(unix(path))
    assert raised.value.code == "ADDRESS_UNAVAILABLE"
    assert path.read_text() == "precious"


def test_a_path_that_is_too_long_or_nowhere(listen: Listen, tmp_path: Path) -> None:
    for path in (tmp_path / ("a" * 120), tmp_path / "no" / "folder" / "web.sock"):
        with pytest.raises(ListenError) as raised:
            listen(unix(path))
        assert raised.value.code == "ADDRESS_UNAVAILABLE"
        assert not path.exists()


def test_the_file_of_a_server_that_came_after_is_left(listen: Listen, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    first = listen(unix(path))
    path.rename(tmp_path / "old.sock")
    listen(unix(path))
    first.close()
    assert connects(path)


def test_an_abstract_socket_has_no_file(listen: Listen) -> None:
    name = f"\0cowherd-test-{os.getpid()}"
    listener = listen({"kind": "unix", "path": name})
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(name)
    listener.close()
