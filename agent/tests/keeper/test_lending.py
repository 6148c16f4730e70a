"""Listeners that one keeper lends to another, with real sockets: what is passed, what of it is
believed, and who owns it when."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cowherd_agent.keeper import lending
from cowherd_agent.keeper.borrowing import Borrowed, BorrowError, Offer, borrow, match
from cowherd_agent.keeper.lending import Loan
from cowherd_agent.keeper.listeners import Listener, listen_on
from cowherd_agent.wire.settings_types import Address

TCP: Address = {"kind": "tcp", "host": "127.0.0.1", "port": 0}
Answer = Callable[[socket.socket], None]


def listening(address: Address) -> Listener:
    return listen_on(
        address, backlog=16, reuse_port=False, umask=0, uid=os.geteuid(), gid=os.getegid()
    )


def unix(path: Path) -> Address:
    return {"kind": "unix", "path": str(path)}


def key(address: Address) -> str:
    return json.dumps(address, sort_keys=True)


def descriptors() -> set[str]:
    """Open descriptors of this process. A descriptor of an earlier test may be closed at any
    time.
    """
    found = set()
    for name in os.listdir("/proc/self/fd"):
        # The listing's own descriptor is gone by now.
        with contextlib.suppress(FileNotFoundError):
            found.add(os.readlink(f"/proc/self/fd/{name}"))
    return found


@pytest.fixture
def lender(tmp_path: Path) -> Iterator[Callable[[Answer], str]]:
    """A fake keeper that receives `lend`, and then runs `answer` with the connection."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "keeper.sock"))
    listener.listen()
    threads = []

    def open_door(answer: Answer) -> str:
        def let_in() -> None:
            connection, _ = listener.accept()
            with connection:
                assert connection.recv(4096) == b'{"type": "lend"}\n'
                answer(connection)

        threads.append(threading.Thread(target=let_in))
        threads[-1].start()
        return str(tmp_path / "keeper.sock")

    yield open_door
    for thread in threads:
        thread.join()
    listener.close()


class Scene:
    """A lender with a TCP socket and a Unix one, and a borrower who has just got them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "shop.sock"
        self.listeners = {key(each): listening(each) for each in (TCP, unix(self.path))}

    def lend(self, connection: socket.socket) -> None:
        self.loan = Loan(socket.socket(fileno=connection.detach()))
        self.loan.lend(self.listeners, 7)

    def close(self) -> None:
        self.loan.take_back()
        for listener in self.listeners.values():
            listener.close()


@pytest.fixture
def scene(tmp_path: Path, lender: Callable[[Answer], str]) -> Iterator[tuple[Scene, Borrowed]]:
    made = Scene(tmp_path)
    borrowed = borrow(lender(made.lend))
    yield made, borrowed
    borrowed.close()
    made.close()


def test_the_sockets_themselves_are_passed(scene: tuple[Scene, Borrowed]) -> None:
    lender, borrowed = scene
    assert (borrowed.pid, borrowed.protocol) == (os.getpid(), 7)
    for address, listener in lender.listeners.items():
        taken = borrowed.take(json.loads(address))
        assert taken is not None
        assert taken.socket.getsockname() == listener.socket.getsockname()
        assert not taken.socket.get_inheritable()
        assert (taken.name, taken.family_name) == (listener.name, listener.family_name)
        with socket.socket(listener.socket.family) as client:
            client.connect(listener.socket.getsockname())
            taken.socket.accept()[0].close()


def test_the_words_that_no_version_changes() -> None:
    ours, theirs = socket.socketpair()
    listener = listening(TCP)
    with ours, theirs:
        Loan(ours).lend({key(TCP): listener}, 7)
        said = json.loads(theirs.recv(65536))
        assert said == {
            "type": "lent",
            "pid": os.getpid(),
            "protocol": 7,
            "listeners": [{"address": TCP, "is_inherited": False, "file": None}],
        }
        ours.setblocking(False)
        loan = Loan(ours)
        theirs.sendall(b'{"type": "give_way", "kept": [%s]}\n' % json.dumps(TCP).encode())
        (heard,) = loan.read() or ()
        assert lending.addresses_kept(heard) == {key(TCP)}
    listener.close()


def test_until_it_is_taken_over_nothing_of_the_lender_is_touched(
    scene: tuple[Scene, Borrowed],
) -> None:
    lender, borrowed = scene
    for address in map(json.loads, lender.listeners):
        taken = borrowed.take(address)
        assert taken is not None
        taken.turn_away()
        taken.close()
        assert borrowed.take(address) is None
    for listener in lender.listeners.values():
        with socket.socket(listener.socket.family) as client:
            client.connect(listener.socket.getsockname())
    assert lender.path.exists()


def test_what_is_used_is_kept_and_the_rest_given_back(scene: tuple[Scene, Borrowed]) -> None:
    lender, borrowed = scene
    taken = borrowed.take(unix(lender.path))
    assert taken is not None
    borrowed.take_over([taken])
    messages = lender.loan.read()
    assert messages is not None
    (said,) = messages
    assert said["type"] == "give_way"
    assert lending.addresses_kept(said) == {key(unix(lender.path))}
    assert borrowed.take(TCP) is None
    assert borrowed.hear() == "nothing"
    assert lender.loan.leave()
    assert borrowed.hear() == "gone"
    taken.close()
    assert not lender.path.exists()


def test_a_lender_that_has_gone_leaves_all(scene: tuple[Scene, Borrowed]) -> None:
    lender, borrowed = scene
    assert lender.loan.leave()
    assert borrowed.hear() == "gone"
    borrowed.own()
    assert borrowed.take(unix(lender.path)) is not None
    borrowed.close_listeners()
    assert not lender.path.exists()


def test_nothing_of_a_lender_that_lives_is_taken_away(scene: tuple[Scene, Borrowed]) -> None:
    lender, borrowed = scene
    borrowed.close_listeners()
    assert lender.path.exists()


def test_a_file_that_was_replaced_is_not_removed(scene: tuple[Scene, Borrowed]) -> None:
    lender, borrowed = scene
    lender.path.unlink()
    lender.path.write_text("somebody else's")
    borrowed.take_over([])
    assert lender.path.read_text() == "somebody else's"


def test_the_end_of_a_loan(scene: tuple[Scene, Borrowed]) -> None:
    lender, borrowed = scene
    assert not borrowed.leave()
    assert lender.loan.read() is None
    # A lender that stays says so, and is not taken for gone.
    lender.loan.take_back()
    assert borrowed.hear() == "taken_back"
    borrowed.close()
    assert not borrowed.leave()


def test_two_that_leave_at_once(scene: tuple[Scene, Borrowed]) -> None:
    lender, borrowed = scene
    assert not borrowed.leave()
    assert not lender.loan.leave()


def test_of_two_that_leave_the_last_has_all(scene: tuple[Scene, Borrowed]) -> None:
    lender, borrowed = scene
    assert lender.loan.leave()
    assert borrowed.leave()


def test_a_word_that_comes_as_the_lender_leaves(scene: tuple[Scene, Borrowed]) -> None:
    lender, borrowed = scene
    borrowed.take_over([])
    borrowed.close()
    assert lender.loan.leave()


@pytest.mark.parametrize("said", [b"\xff\n", b"[]\n", b'{"type": 3}\n', b"x" * 300_000])
def test_a_borrower_who_says_nonsense_has_no_loan(said: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        loan = Loan(ours)
        sender = threading.Thread(target=theirs.sendall, args=(said,))
        sender.start()
        heard: Any = []
        while heard is not None:
            heard = loan.read()
            assert not heard
        theirs.close()
        ours.close()
        sender.join()


@pytest.mark.parametrize("kept", [None, 3, "x", {}, [3, None, "x", {"kind": "tcp"}]])
def test_addresses_that_are_none(kept: object) -> None:
    assert key(TCP) not in lending.addresses_kept({"type": "give_way", "kept": kept})


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two users")
def test_another_user_is_not_trusted() -> None:
    with socket.socket(socket.AF_UNIX) as lender:
        # Abstract, since another user could not reach a file in this folder.
        lender.bind("")
        lender.listen()
        name = lender.getsockname()
        for user, expected in ((65534, False), (0, True)):
            pid = os.fork()
            if pid == 0:
                os.setuid(user)
                visitor = socket.socket(socket.AF_UNIX)
                visitor.connect(name)
                visitor.recv(1)
                os._exit(0)
            connection, _ = lender.accept()
            with connection:
                assert lending.is_trusted(connection) is expected
            os.waitpid(pid, 0)


def says(line: bytes, listeners: int = 0) -> Answer:
    def answer(connection: socket.socket) -> None:
        made = [listening(TCP) for _ in range(listeners)]
        socket.send_fds(connection, [line], [each.socket.fileno() for each in made])
        for each in made:
            each.close()

    return answer


def lent(**changes: object) -> bytes:
    listener = {"address": TCP, "is_inherited": False, "file": None}
    message = {"type": "lent", "pid": 1, "protocol": 7, "listeners": [listener], **changes}
    return json.dumps(message).encode() + b"\n"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (says(b""), "PROTOCOL_MISMATCH"),
        (says(b"nonsense\n"), "PROTOCOL_MISMATCH"),
        (says(b'{"type": "lent"', 1), "PROTOCOL_MISMATCH"),
        (says(b'{"type": "looked"}\n', 1), "PROTOCOL_MISMATCH"),
        (says(lent(), 0), "PROTOCOL_MISMATCH"),
        (says(lent(), 2), "PROTOCOL_MISMATCH"),
        (says(lent(pid="x"), 1), "PROTOCOL_MISMATCH"),
        (says(lent(listeners=[{"address": TCP}]), 1), "PROTOCOL_MISMATCH"),
        (says(lent(listeners=[3]), 1), "PROTOCOL_MISMATCH"),
        (says(lent(listeners=3), 1), "PROTOCOL_MISMATCH"),
        (
            says(b'{"type": "refused", "code": "RUNTIME_DIRECTORY_BUSY", "detail": "no"}\n'),
            "RUNTIME_DIRECTORY_BUSY",
        ),
    ],
)
def test_an_answer_that_lends_nothing(
    lender: Callable[[Answer], str], answer: Answer, code: str
) -> None:
    before = descriptors()
    with pytest.raises(BorrowError) as raised:
        borrow(lender(answer))
    assert raised.value.code == code
    # Descriptors of the fake keeper's thread are closed soon.
    deadline = time.monotonic() + 10
    while not descriptors() <= before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert descriptors() <= before


def test_a_socket_that_nobody_listens_on_is_no_listener(lender: Callable[[Answer], str]) -> None:
    def answer(connection: socket.socket) -> None:
        socket.send_fds(connection, [lent()], [connection.fileno()])

    with pytest.raises(BorrowError, match="no listening socket"):
        borrow(lender(answer))


def test_nobody_behind_the_door(tmp_path: Path) -> None:
    with pytest.raises(BorrowError) as raised:
        borrow(str(tmp_path / "keeper.sock"))
    assert raised.value.code == "KEEPER_NO_ANSWER"


def offer(address: Address, bound: tuple[str, int] | str) -> Offer:
    return Offer(address, bound, None)  # type: ignore[arg-type]


def test_which_listener_is_for_an_address() -> None:
    offers = [
        offer({"kind": "tcp", "host": "localhost", "port": 80}, ("127.0.0.1", 80)),
        offer(TCP, ("127.0.0.1", 40001)),
        offer({"kind": "unix", "path": "shop.sock"}, "/srv/shop.sock"),
        offer({"kind": "fd", "descriptor": 3}, ("0.0.0.0", 443)),
    ]
    assert match({"kind": "tcp", "host": "localhost", "port": 80}, offers) == 0
    assert match({"kind": "tcp", "host": "127.0.0.1", "port": 80}, offers) == 0
    assert match(TCP, offers) == 1
    assert match({"kind": "tcp", "host": "127.0.0.1", "port": 40001}, offers) == 1
    assert match({"kind": "unix", "path": "/srv/shop.sock"}, offers) == 2
    assert match({"kind": "fd", "descriptor": 3}, offers) == 3
    assert match({"kind": "tcp", "host": "0.0.0.0", "port": 0}, offers) is None
    assert match({"kind": "tcp", "host": "127.0.0.1", "port": 81}, offers) is None
    assert match({"kind": "fd", "descriptor": 4}, offers) is None
