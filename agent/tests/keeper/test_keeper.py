"""The keeper's reading of its molds and workers, with real sockets and real processes."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cowherd_agent.keeper.adoption_socket import AdoptionSocket
from cowherd_agent.keeper.borrowing import Borrowed, BorrowError, borrow
from cowherd_agent.keeper.herd_members import UNORDERED, Mold
from cowherd_agent.keeper.keeper import Keeper
from cowherd_agent.keeper.lending import Loan
from cowherd_agent.mold.worker_fork import WorkerFork
from cowherd_agent.wire import scoreboard
from cowherd_agent.wire.channel import Channel
from cowherd_agent.wire.message_rules import Stage

SETTINGS = {"type": "configured", "settings": {"pidfile": "/run/shop.pid"}}


class Scene:
    """A keeper with one mold that is ready, what the supervisor hears, and the mold's end."""

    def __init__(self) -> None:
        self.supervisor, keepers_end = socket.socketpair()
        self.supervisor.settimeout(5)
        keepers_end.setblocking(False)
        self._heard = b""
        self.keeper = Keeper(keepers_end, None)
        self.keeper.poll.register(keepers_end)
        ours, molds_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.mold_end = molds_end
        self.mold = self.keeper._adopt((0, ours.detach()))
        self.mold.generation = 1
        self.mold.configured = SETTINGS
        self.mold.stage = Stage.READY
        self.children: list[int] = []

    def hear(self) -> dict[str, Any]:
        """The next message to the supervisor."""
        while b"\n" not in self._heard:
            self._heard += self.supervisor.recv(65536)
        line, self._heard = self._heard.split(b"\n", 1)
        message: dict[str, Any] = json.loads(line)
        return message

    def hears_nothing_more(self) -> bool:
        self.keeper.supervisor.send({"type": "keeper_leaving"})
        return self.hear() == {"type": "keeper_leaving"}

    def mold_says(self, data: bytes | dict[str, Any], descriptors: tuple[int, ...] = ()) -> None:
        packet = data if isinstance(data, bytes) else json.dumps(data).encode()
        socket.send_fds(self.mold_end, [packet], list(descriptors))
        self.keeper.hearing.read_all_molds()

    def fork(self, slot: int = 0) -> tuple[int, Channel, socket.socket]:
        """A process that waits for its end, a channel that it has said `born` on, and the keeper's
        end of that."""
        channel, keepers_end = Channel.pair()
        pid = os.fork()
        if pid == 0:
            keepers_end.close()
            channel.send({"type": "born"})
            signal.pause()
        self.children.append(pid)
        self.mold.forking.add(slot)
        keepers_end.recv(1, socket.MSG_PEEK)
        return pid, channel, keepers_end

    def announce(self, pid: int, descriptors: tuple[int, ...], slot: int = 0) -> None:
        message = {
            "type": "forked",
            "slot": slot,
            "pid": pid,
            "age": 1,
            "forked_monotonic_ns": time.monotonic_ns(),
        }
        self.mold_says(message, descriptors)

    def worker(self, slot: int = 0) -> tuple[int, Channel]:
        pid, channel, keepers_end = self.fork(slot)
        row = scoreboard.make()
        self.announce(pid, (keepers_end.fileno(), row), slot)
        keepers_end.close()
        os.close(row)
        assert self.hear()["type"] == "worker_forked"
        return pid, channel

    def supervisor_has_heard(self) -> bool:
        return b"\n" in self._heard or bool(select.select([self.supervisor], [], [], 0)[0])

    def read_workers(self) -> None:
        for worker in list(self.keeper.processes.workers.values()):
            while self.keeper.hearing.read_worker(worker):
                pass

    def close(self) -> None:
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for worker in list(self.keeper.processes.workers.values()):
            self.keeper.processes.forget_worker(worker)
        for mold in self.keeper.processes.molds.values():
            mold.connection.close()
        for end in (self.supervisor, self.mold_end):
            end.close()


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.close()


def test_the_last_words_of_a_mold_that_left_something_unread(scene: Scene) -> None:
    scene.keeper.processes.to_mold(1, {"type": "listeners", "families": []})
    scene.mold.stage = Stage.CONFIGURED
    scene.mold_end.send(json.dumps({"type": "mold_failed", "code": "X", "detail": ""}).encode())
    scene.mold_end.close()
    scene.keeper.hearing.read_all_molds()
    relayed = scene.hear()
    assert (relayed["type"], relayed["message"]["type"]) == ("from_mold", "mold_failed")
    assert scene.keeper.processes.molds == {}


def test_a_worker_is_known_by_the_kernels_word(scene: Scene) -> None:
    pid, channel = scene.worker(slot=3)
    assert scene.mold.forking == set()
    channel_of_child = channel
    # The test holds the child's end too: whoever sends on it, it is this worker's.
    channel_of_child.send({"type": "worker_ready", "pid": 1, "slot": 77})
    scene.read_workers()
    heard = scene.hear()
    assert (heard["type"], heard["generation"], heard["pid"]) == ("from_worker", 1, pid)


@pytest.mark.parametrize("claimed", [-1, 0, 1, 2**40, os.getpid()])
def test_a_fork_is_not_believed_of_another_process(scene: Scene, claimed: int) -> None:
    _, _, keepers_end = scene.fork()
    row = scoreboard.make()
    scene.announce(claimed, (keepers_end.fileno(), row))
    heard = scene.hear()
    assert heard["type"] == "bad_message"
    assert f"process {claimed}," in heard["reason"]
    assert scene.keeper.processes.workers == {}
    assert scene.keeper.processes.children() == []
    os.close(row)


def test_a_fork_is_not_believed_twice(scene: Scene) -> None:
    pid, channel = scene.worker()
    _, keepers_end = Channel.pair()
    row = scoreboard.make()
    scene.mold.forking.add(1)
    scene.announce(pid, (keepers_end.fileno(), row), slot=1)
    assert scene.hear()["type"] == "bad_message"
    assert list(scene.keeper.processes.workers) == [pid]
    os.close(row)
    channel.close()


def test_a_fork_without_a_channel_or_with_a_row_that_is_none(scene: Scene) -> None:
    pid, _, keepers_end = scene.fork()
    reading, writing = os.pipe()
    before = len(os.listdir("/proc/self/fd"))
    for descriptors in ((), (keepers_end.fileno(),), (keepers_end.fileno(), reading)):
        scene.announce(pid, descriptors)
        assert scene.hear()["type"] == "bad_message"
        assert scene.keeper.processes.workers == {}
    # What came with them is closed.
    assert len(os.listdir("/proc/self/fd")) == before
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize(
    "said",
    [
        b"\xff\xfe garbage",
        b"[" * 60_000,
        {"type": "nope"},
        {"type": "mold_finished", "status": 0, "daemonize": False},
        {"type": "configured", "settings": {"pidfile": "/etc/shadow"}},
        {"type": "forked", "slot": 0, "pid": -1, "age": 1, "forked_monotonic_ns": 1},
        b"7" * 100_000,
    ],
)
def test_what_a_worker_may_not_say_is_dropped_and_told_of(
    scene: Scene, said: bytes | dict[str, Any]
) -> None:
    pid, channel = scene.worker()
    os.write(channel.fileno(), said if isinstance(said, bytes) else json.dumps(said).encode())
    scene.read_workers()
    heard = scene.hear()
    assert (heard["type"], heard["pid"], heard["generation"]) == ("bad_message", pid, 1)
    channel.send({"type": "worker_ready"})
    scene.read_workers()
    assert scene.hear()["type"] == "from_worker"
    assert scene.mold.configured == SETTINGS


def test_one_that_goes_on_is_not_listened_to(scene: Scene) -> None:
    pid, channel = scene.worker()
    for _ in range(20):
        channel.send_if_possible({"type": "nope"})
    scene.read_workers()
    told = [scene.hear() for _ in range(8)]
    assert {each["pid"] for each in told} == {pid}
    assert scene.hears_nothing_more()
    assert channel.send_if_possible({"type": "worker_ready"}) is False
    # It is a worker all the same, and is signalled as one.
    assert pid in scene.keeper.processes.children()


def test_one_that_says_too_much_is_not_relayed(scene: Scene) -> None:
    _, channel = scene.worker()
    relayed = 0
    for _ in range(2000):
        channel.send_if_possible({"type": "notice", "level": "info", "text": "x" * 1000})
        scene.read_workers()
        if scene.keeper.processes.talkers == {}:
            break
        relayed += 1
    assert 100 < relayed < 300


def test_the_molds_end_of_its_channel_is_not_the_workers(scene: Scene) -> None:
    fork = WorkerFork.prepare()
    pid = fork.run()
    if pid == 0:
        # Only what it says itself comes from here.
        fork.channel.send({"type": "worker_ready"})
        os._exit(0)
    scene.mold.forking.add(0)
    scene.announce(pid, fork.for_the_keeper)
    fork.finish()
    assert scene.hear()["pid"] == pid
    # On a busy machine, it may not have said anything yet.
    deadline = time.monotonic() + 5
    while not scene.supervisor_has_heard() and time.monotonic() < deadline:
        scene.read_workers()
        time.sleep(0.001)
    assert scene.hear()["message"] == {"type": "worker_ready"}


def test_a_worker_that_dies_as_it_is_forked_is_a_fork_that_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    fork = WorkerFork.prepare()
    monkeypatch.setattr(Channel, "send", lambda *_: os._exit(9))
    with pytest.raises(OSError, match="died while it was being forked"):
        fork.run()
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_a_signal_waits_for_a_new_worker_to_become_a_child(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid, _ = scene.worker()
    looks = iter([False, False, True])
    monkeypatch.setattr(scene.keeper.processes, "is_child", lambda _pid: next(looks))
    scene.keeper.processes.signal(pid, signal.SIGKILL)
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    assert ended.si_status == signal.SIGKILL


def test_a_signal_goes_to_a_child_and_to_nobody_else(scene: Scene) -> None:
    pid, _ = scene.worker()
    # Somebody else's, though a list has it: a grandchild.
    reading, writing = os.pipe()
    between = os.fork()
    if between == 0:
        decoy = os.fork()
        if decoy == 0:
            time.sleep(60)
            os._exit(0)
        os.write(writing, str(decoy).encode())
        os.waitpid(decoy, 0)
        os._exit(0)
    decoy = int(os.read(reading, 20))
    scene.keeper.processes.workers[decoy] = scene.keeper.processes.workers[pid]
    for number in (decoy, -1, 0, 1):
        scene.keeper.carry_out({"type": "signal", "pid": number, "signal": signal.SIGKILL})
        assert scene.hear() == {"type": "signal_failed", "pid": number, "signal": 9}
    os.kill(decoy, 0)
    del scene.keeper.processes.workers[decoy]
    scene.keeper.carry_out({"type": "signal", "pid": pid, "signal": signal.SIGKILL})
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    scene.children.remove(pid)
    os.kill(decoy, signal.SIGKILL)
    os.waitpid(between, 0)
    os.close(reading)
    os.close(writing)


def test_a_worker_that_nobody_can_wait_for_is_no_worker_any_more(scene: Scene) -> None:
    pid, _ = scene.worker()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    scene.children.remove(pid)
    stop = {"type": "signal", "pid": pid, "signal": signal.SIGTERM}
    scene.keeper.carry_out(stop)
    assert scene.hear()["type"] == "signal_failed"
    # Between its fork and its adoption it is another process's child.
    assert pid in scene.keeper.processes.workers
    scene.keeper.processes.workers[pid].forked_monotonic_ns -= 20_000_000_000
    scene.keeper.carry_out(stop)
    assert [scene.hear()["type"] for _ in range(2)] == ["signal_failed", "process_exited"]
    assert scene.keeper.processes.children() == []


def test_a_worker_that_retires_speaks_as_a_mold_with_the_settings_of_its_own(scene: Scene) -> None:
    pid, channel = scene.worker()
    message = {"type": "retired", "requests_finished": 7}
    channel.send(message)
    scene.read_workers()
    told = {"type": "from_worker", "generation": 1, "pid": pid, "message": message}
    assert scene.hear() == told
    # It is signalled as a mold from now on, and hears what is said to its generation.
    assert pid not in scene.keeper.processes.workers
    assert pid in scene.keeper.processes.children()
    assert sorted(each.generation for each in scene.keeper.processes.molds.values()) == [
        UNORDERED,
        1,
    ]
    adopt = {"type": "adopt_mold", "pid": pid, "generation": 2, "mold": {"occasion": "refork"}}
    scene.keeper.carry_out(adopt)
    assert channel.receive() == ({"type": "order", "occasion": "refork"}, [])
    assert scene.hear() == {"type": "mold_started", "generation": 2, "pid": pid}
    # Once, and nobody else.
    scene.keeper.carry_out(adopt)
    scene.keeper.carry_out({**adopt, "pid": 99})
    assert scene.hears_nothing_more()
    # It may run as another user by now: its settings are those that its mold has read.
    channel.send({"type": "configured", "settings": {"pidfile": "/etc/shadow"}})
    scene.keeper.hearing.read_all_molds()
    assert scene.hear() == {"type": "from_mold", "generation": 2, "message": SETTINGS}
    (mold,) = [each for each in scene.keeper.processes.molds.values() if each.generation == 2]
    assert mold.configured == SETTINGS
    channel.send({"type": "mold_finished", "status": 0, "daemonize": False})
    scene.keeper.hearing.read_all_molds()
    assert scene.hear()["type"] == "bad_message"
    scene.keeper.processes.to_mold(2, {"type": "exit", "final": True})
    assert channel.receive()[0] == {"type": "exit", "final": True}


def start_mold(python: str, launcher: str, cwd: str) -> bytes:
    order = {
        "generation": 2,
        "runtime_directory": "/run/shop",
        "log_format": "text",
        "cwd": cwd,
        "daemonized": False,
        "rejected_policies": [],
        "occasion": "reload",
    }
    command = {
        "type": "start_mold",
        "generation": 2,
        "python": python,
        "launcher": launcher,
        "arguments": [],
        "environment": {},
        "mold": order,
    }
    return json.dumps(command).encode()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"garbage", "no JSON"),
        (b"[]", "no object with a type"),
        (b"{}", "no object with a type"),
        (b'{"type": "dance"}', "unknown command 'dance'"),
        (b'{"type": "start_mold"}', "start_mold: generation is missing"),
        (
            b'{"type": "signal", "pid": "x", "signal": 9}',
            "signal: pid is 'x', not a whole number",
        ),
        (b'{"type": "listen", "generation": 1}', "listen: addresses is missing"),
        (b'{"type": "keep_listeners"}', "keep_listeners: generations is missing"),
        (start_mold("/nowhere/python", "/", "/"), "No such file or directory: /nowhere"),
        (start_mold("/usr/bin/env", "/", "/nowhere"), "No such file or directory: /nowhere"),
        (
            start_mold("/usr/bin/env", "/nowhere/launch.py", "/"),
            "No such file or directory: /nowhere",
        ),
    ],
)
def test_a_command_that_goes_wrong_is_told_of_and_ends_nothing(
    scene: Scene, line: bytes, reason: str
) -> None:
    folder = os.getcwd()
    scene.keeper.command(line)
    heard = scene.hear()
    assert heard["type"] == "command_failed"
    assert reason in heard["reason"]
    if b"nowhere" in line:
        assert heard["generation"] == 2
    assert os.getcwd() == folder


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"addresses": [{"kind": "tcp", "host": "127.0.0.1", "port": 99_999}]}, "0-65535"),
        ({"backlog": 3_000_000_000}, "OverflowError"),
        (
            {"addresses": [{"kind": "unix", "path": "{folder}/s"}], "umask": 0o7777777777777},
            "OverflowError",
        ),
        ({"addresses": [{"kind": "unix", "path": "a\0b"}]}, ""),
    ],
)
def test_an_address_that_no_parser_refuses_costs_nothing(
    scene: Scene, changes: dict[str, Any], reason: str, tmp_path: Any
) -> None:
    text = json.dumps(
        {
            "type": "listen",
            "generation": 7,
            "addresses": [{"kind": "tcp", "host": "127.0.0.1", "port": 0}],
            "backlog": 10,
            "reuse_port": False,
            "umask": 0,
            "uid": os.getuid(),
            "gid": os.getgid(),
            "grace_seconds": 30,
            **changes,
        }
    )
    scene.keeper.command(text.replace("{folder}", str(tmp_path)).encode())
    heard = scene.hear()
    assert (heard["type"], heard["code"]) == ("listen_failed", "ADDRESS_UNAVAILABLE")
    assert reason in heard["reason"]


def test_any_message_may_come_with_nothing_to_read(scene: Scene) -> None:
    """The keeper never waits for a mold."""
    (descriptor,) = scene.keeper.processes.molds
    assert scene.keeper.hearing.read_mold(descriptor) is False
    assert isinstance(scene.mold, Mold)


class Orphaned:
    """A keeper without a supervisor that has an adoption socket, a listener, a worker, and a mold
    with a scheduler."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self.keeper = scene.keeper
        self.socket_path = folder / "keeper.sock"
        self._mold_end = scene.mold_end
        self.worker, _ = scene.worker()
        scene.mold.pid = self.worker
        scene.mold.ready = {"type": "mold_ready", "threads": 1}
        self.keeper.succession.adoption_socket = AdoptionSocket(
            str(self.socket_path), self.keeper.poll
        )
        assert self.keeper.succession.adoption_socket.open() is None
        self.keeper.listeners.listen(
            {
                "type": "listen",
                "generation": 1,
                "addresses": [{"kind": "unix", "path": str(folder / "shop.sock")}],
                "backlog": 16,
                "reuse_port": False,
                "umask": 0,
                "uid": os.geteuid(),
                "gid": os.getegid(),
                "grace_seconds": 30.0,
            }
        )
        # The forked worker has the same socket.
        scene.supervisor.shutdown(socket.SHUT_RDWR)
        self.until(lambda: not self.keeper.supervisor.is_open)
        self._mold_end.settimeout(5)

    def until(self, holds: Callable[[], object]) -> None:
        while not holds():
            self.keeper._turn()

    def borrow(self) -> Borrowed:
        """Raises BorrowError."""
        ended: list[Borrowed | BorrowError] = []

        def ask() -> None:
            try:
                ended.append(borrow(str(self.socket_path)))
            except BorrowError as error:
                ended.append(error)

        visitor = threading.Thread(target=ask)
        visitor.start()
        while visitor.is_alive():
            for descriptor, _ in self.keeper.poll.poll(10):
                self.keeper._react(descriptor, select.POLLIN)
        visitor.join()
        (result,) = ended
        if isinstance(result, BorrowError):
            raise result
        return result

    def mold_hears(self) -> str:
        return str(json.loads(self._mold_end.recv(65536))["type"])


@pytest.fixture
def orphaned(scene: Scene, tmp_path: Path) -> Orphaned:
    return Orphaned(scene, tmp_path)


def test_listeners_that_are_lent_and_given_back(orphaned: Orphaned) -> None:
    keeper = orphaned.keeper
    borrowed = orphaned.borrow()
    assert orphaned.mold_hears() == "pause_threads"
    with pytest.raises(BorrowError) as raised:
        orphaned.borrow()
    assert raised.value.code == "RUNTIME_DIRECTORY_BUSY"
    borrowed.close()
    orphaned.until(lambda: keeper.succession.loan is None)
    assert orphaned.mold_hears() == "resume_threads"
    (listener,) = keeper.listeners.all()
    assert listener.is_ours
    assert keeper.succession.adoption_socket.is_open
    assert keeper._drain is None
    orphaned.borrow().close()


def test_a_keeper_that_gives_way_leaves_all_that_is_not_its_own_process(
    orphaned: Orphaned, tmp_path: Path
) -> None:
    keeper = orphaned.keeper
    borrowed = orphaned.borrow()
    taken = borrowed.take({"kind": "unix", "path": str(tmp_path / "shop.sock")})
    assert taken is not None
    borrowed.take_over([taken])
    orphaned.until(lambda: keeper._drain is not None)
    os.waitid(os.P_PID, orphaned.worker, os.WEXITED | os.WNOWAIT)
    keeper.succession.adoption_socket.close(with_directory=True)
    for listener in keeper.listeners.all():
        listener.turn_away()
        listener.close()
    assert {path.name for path in tmp_path.iterdir()} == {"keeper.sock", "shop.sock"}
    borrowed.close()
    orphaned.until(
        lambda: keeper.succession.loan is not None and keeper.succession.loan.fileno() == -1
    )
    assert keeper._drain is not None
    taken.close()


def test_a_lender_that_leaves_is_not_taken_for_one_whose_borrower_has_left(
    scene: Scene, tmp_path: Path
) -> None:
    """A lender ends its side, then looks whether the borrower's side has ended. The borrower may
    have heard of the first by then, and must not seem to have left."""
    path = tmp_path / "keeper.sock"
    loans: list[Loan] = []
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen()

        def lend() -> None:
            connection, _ = door.accept()
            connection.recv(4096)
            loans.append(Loan(connection))
            loans[0].lend({}, 7)

        lender = threading.Thread(target=lend)
        lender.start()
        scene.keeper.succession.borrow(str(path))
        lender.join()
    assert scene.hear()["type"] == "borrowed"
    (loan,) = loans
    loan._connection.shutdown(socket.SHUT_WR)
    scene.keeper._turn()
    assert scene.hear()["type"] == "lender_gone"
    assert loan.leave(), "what was lent is the borrower's"
    loan._connection.close()


def test_a_supervised_keeper_lends_nothing(orphaned: Orphaned) -> None:
    connection, other = socket.socketpair()
    orphaned.keeper.poll.register(connection, select.POLLIN)
    orphaned.keeper.supervisor.adopt(connection, {"type": "inventory"})
    with pytest.raises(BorrowError, match="it has a supervisor"):
        orphaned.borrow()
    other.close()
