"""The keeper: holds the listeners, reaps every process of the herd, starts molds.

Standard library only, and little of it, for it stays for as long as the server does. It never
imports the application and decides nothing: it carries out the supervisor's commands, relays
messages between the supervisor and the herd, and reports every process that ends.

It may be root's while workers are not. So it believes nobody: message_rules.py says what it takes
of whom, the kernel says who has sent a packet, and a signal goes only to a child. What can't be
taken or carried out is told to the supervisor, and ends nothing here.

When the supervisor dies, it keeps all of them running, keeps in mind what the next one has to know,
and waits for it at its door (door.py). Told to end without a supervisor, it drains the herd itself
(drain.py). To the keeper of a herd that is to take this one's place it lends the listeners
(lending.py), as it may have borrowed them itself (borrowing.py).
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NoReturn

from cowherd_agent import (
    background,
    borrowing,
    descriptor_limit,
    inherited,
    lending,
    message_rules,
    mold_process,
    packets,
    scoreboard,
)
from cowherd_agent.allowance import Allowance
from cowherd_agent.borrowing import Borrowed, BorrowError
from cowherd_agent.door import Door
from cowherd_agent.drain import Drain
from cowherd_agent.herd_members import UNORDERED, Mold, Worker
from cowherd_agent.lending import Loan
from cowherd_agent.listen_queue import queue_of
from cowherd_agent.listeners import Listener, ListenError, listen_on, name_of
from cowherd_agent.message_rules import BadMessage, Stage
from cowherd_agent.messages import PROTOCOL_VERSION, Address, Message
from cowherd_agent.packets import Packet

if TYPE_CHECKING:
    from resource import struct_rusage

SUPERVISOR_DESCRIPTOR = 3

# include/uapi/linux/prctl.h
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36

# How long workers may finish their requests in a herd without a supervisor (gunicorn's default
# graceful_timeout; the supervisor sends the configured one with `listen`).
DEFAULT_GRACE_SECONDS = 30.0

# What is kept for the next supervisor: how the latest processes ended, and what molds and workers
# have said that no supervisor has heard.
_MOST_ENDINGS = 256
_MOST_UNHEARD = 64
_MOST_UNHEARD_BYTES = 128 * 1024


# What an inventory tells in another way, and what is of no use later.
_NOTED = frozenset({"forked", "configured", "mold_ready", "worker_ready", "retired", "progress"})

# At the door, these stay as they are: any version can end the herd of any other, or take its place.
_OF_ANY_VERSION = frozenset({"look", "drain", "lend"})

# After so many messages that could not be taken a process is not listened to any more.
_MOST_BAD_MESSAGES = 8

# While the supervisor reads nothing: what workers say beyond that is lost.
_MOST_OUTGOING_BYTES = 4 * 1024 * 1024


class Keeper:
    def __init__(
        self, supervisor: socket.socket, first_mold: tuple[int, int] | None, door_path: str = ""
    ) -> None:
        # None while there is none.
        self._supervisor: socket.socket | None = supervisor
        self._incoming = b""
        self._outgoing = bytearray()
        # By the descriptor of their socket.
        self._molds: dict[int, Mold] = {}
        self._talkers: dict[int, Worker] = {}
        # By pid.
        self._workers: dict[int, Worker] = {}
        # By their address, as JSON; and which of them each generation has.
        self._listeners: dict[str, Listener] = {}
        self._addresses: dict[int, list[str]] = {}
        # Sockets that the supervisor was started with; kept, whoever listens on them.
        self._inherited = inherited.take_sockets()
        self._poll = select.poll()
        self._wakeup, self._wakeup_writer = socket.socketpair()
        self._grace_seconds = DEFAULT_GRACE_SECONDS
        self._door = Door(door_path, self._poll)
        self._endings: deque[Message] = deque(maxlen=_MOST_ENDINGS)
        self._unheard: deque[Message] = deque(maxlen=_MOST_UNHEARD)
        self._unheard_bytes = 0
        self._drain: Drain | None = None
        # What the keeper of another herd has of this one; and this one of another.
        self._loan: Loan | None = None
        self._borrowed: Borrowed | None = None
        self._unordered = None if first_mold is None else self._adopt(first_mold)

    def run(self) -> NoReturn:
        assert self._supervisor is not None
        for end in (self._wakeup, self._wakeup_writer, self._supervisor):
            end.setblocking(False)
        # Both are looked at in `_drain_wakeup`.
        for noticed in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(noticed, lambda _signal, _frame: None)
        signal.set_wakeup_fd(self._wakeup_writer.fileno(), warn_on_full_buffer=False)
        # The supervisor decides when to leave; a stray signal to the group must not.
        for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(ignored, signal.SIG_IGN)
        self._poll.register(self._supervisor, select.POLLIN)
        self._poll.register(self._wakeup, select.POLLIN)
        self._send(
            {
                "type": "keeper_ready",
                "protocol": PROTOCOL_VERSION,
                "pid": os.getpid(),
                "executable": sys.executable,
                "python_version": ".".join(map(str, sys.version_info[:3])),
                "implementation": sys.implementation.name,
                "free_threaded": not getattr(sys, "_is_gil_enabled", lambda: True)(),
                "door_problem": self._door.open(),
            }
        )
        while True:
            self._turn()

    def _turn(self) -> None:
        timeout_ms = None if self._drain is None else self._drain.timeout_ms()
        for descriptor, event in self._poll.poll(timeout_ms):
            if descriptor == self._wakeup.fileno():
                self._drain_wakeup()
            elif self._supervisor is not None and descriptor == self._supervisor.fileno():
                if event & select.POLLOUT:
                    self._flush()
                if event & (select.POLLIN | select.POLLHUP | select.POLLERR):
                    self._read_supervisor()
            elif self._door.knows(descriptor):
                self._answer_door(descriptor)
            elif descriptor in self._talkers:
                self._read_worker(self._talkers[descriptor])
            elif self._loan is not None and descriptor == self._loan.fileno():
                self._read_borrower(self._loan)
            elif self._borrowed is not None and descriptor == self._borrowed.fileno():
                self._read_lender(self._borrowed)
            else:
                self._read_mold(descriptor)
        if self._drain is not None:
            self._drain_further(self._drain)
        elif self._supervisor is None and not self._children():
            # Nothing is left that a supervisor could adopt.
            self._leave()

    # The supervisor's side

    def _send(self, message: Message) -> None:
        if self._supervisor is None:
            return
        self._outgoing += json.dumps(message).encode() + b"\n"
        self._flush()

    def _flush(self) -> None:
        if self._supervisor is None:
            return
        try:
            while self._outgoing:
                sent = self._supervisor.send(self._outgoing)
                del self._outgoing[:sent]
        except BlockingIOError:
            self._poll.modify(self._supervisor, select.POLLIN | select.POLLOUT)
            return
        except OSError:
            self._lose_supervisor()
            return
        self._poll.modify(self._supervisor, select.POLLIN)

    def _read_supervisor(self) -> None:
        if self._supervisor is None:
            return
        try:
            data = self._supervisor.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lose_supervisor()
            return
        *lines, self._incoming = (self._incoming + data).split(b"\n")
        for line in lines:
            self._command(line)

    def _command(self, line: bytes) -> None:
        """Carries out a command; what goes wrong with it is told, and ends only the command."""
        kind, generation = "?", None
        try:
            message = message_rules.read(line)
            kind, generation = message["type"], message.get("generation")
            self._carry_out(message)
        except Exception as error:
            self._send(
                {
                    "type": "command_failed",
                    "command": kind,
                    "generation": generation if type(generation) is int else None,
                    "reason": _reason(error),
                }
            )

    def _carry_out(self, message: Message) -> None:
        kind = message["type"]
        if kind == "start_mold":
            self._start_mold(message)
        elif kind == "adopt_mold":
            self._adopt_mold(message)
        elif kind == "listen":
            self._listen(message)
        elif kind == "give_listeners":
            self._give_listeners(message["generation"])
        elif kind == "keep_listeners":
            self._keep_listeners(message["generations"])
        elif kind == "turn_away":
            for listener in self._listeners.values():
                listener.turn_away()
        elif kind == "to_mold":
            self._to_mold(message["generation"], message["message"])
        elif kind == "signal":
            self._signal(message["pid"], message["signal"])
        elif kind == "set_background":
            if self._is_child(message["pid"]):
                background.set_background(message["pid"], message["background"])
        elif kind == "pulse":
            self._door.reopen_where_gone()
            self._send({"type": "pulse", "queues": self._queues()})
        elif kind == "notify":
            _notify(message["address"], message["text"])
        elif kind == "borrow":
            self._borrow(message["door"])
        elif kind == "take_over":
            self._take_over()
        elif kind == "exit":
            self._leave()

    # Without a supervisor

    def _lose_supervisor(self) -> None:
        """Everything runs on, for the next supervisor to adopt."""
        if self._supervisor is None:
            return
        self._poll.unregister(self._supervisor)
        self._supervisor.close()
        self._supervisor = None
        self._incoming = b""
        self._outgoing.clear()
        self._unordered = None
        self._end_unordered()
        self._reap()
        if not self._door.is_open:
            # No other will ever come.
            self._begin_drain(quick=False)

    def _end_unordered(self) -> None:
        """Ends those who wait for the order of a mold: whoever would give it does not live."""
        for mold in self._molds.values():
            if mold.generation == UNORDERED and mold.pid:
                self._signal(mold.pid, signal.SIGKILL)

    def _answer_door(self, descriptor: int) -> None:
        try:
            self._answer_visitor(descriptor)
        except Exception as error:
            self._refuse(descriptor, "INTERNAL", _reason(error))

    def _answer_visitor(self, descriptor: int) -> None:
        for message in self._door.read(descriptor):
            kind = message["type"]
            if kind == "look":
                self._door.answer(descriptor, self._looked())
            elif kind not in _OF_ANY_VERSION and message.get("protocol") != PROTOCOL_VERSION:
                theirs = str(message.get("protocol"))[:20]
                detail = (
                    f"the keeper (pid {os.getpid()}) speaks version {PROTOCOL_VERSION}, not"
                    f" {theirs}; `cowherd stop` ends its herd after the requests in flight"
                )
                self._refuse(descriptor, "PROTOCOL_MISMATCH", detail)
            elif self._supervisor is not None:
                self._refuse(descriptor, "RUNTIME_DIRECTORY_BUSY", "it has a supervisor")
            elif kind == "drain":
                self._door.answer(descriptor, self._looked())
                self._begin_drain(message.get("quick") is True)
            elif self._drain is not None:
                self._refuse(descriptor, "RUNTIME_DIRECTORY_BUSY", "its herd is being ended")
            elif self._loan is not None:
                detail = "another herd is about to take its place"
                self._refuse(descriptor, "RUNTIME_DIRECTORY_BUSY", detail)
            elif kind == "lend":
                self._lend(descriptor)
                return
            elif kind == "adopt":
                self._supervisor = self._door.let_stay(descriptor)
                self._send(self._inventory())
                self._unheard.clear()
                self._unheard_bytes = 0
                return

    def _refuse(self, descriptor: int, code: str, detail: str) -> None:
        self._door.answer(descriptor, {"type": "refused", "code": code, "detail": detail})

    def _looked(self) -> Message:
        return {
            "type": "looked",
            "protocol": PROTOCOL_VERSION,
            "pid": os.getpid(),
            "supervised": self._supervisor is not None,
            "draining": self._drain is not None,
            "lends": True,
            "molds": [mold.pid for mold in self._molds.values() if mold.pid],
            "workers": list(self._workers),
        }

    def _inventory(self) -> Message:
        """All that there is, for a supervisor that adopts it."""
        return {
            "type": "inventory",
            "protocol": PROTOCOL_VERSION,
            "pid": os.getpid(),
            "executable": sys.executable,
            "python_version": ".".join(map(str, sys.version_info[:3])),
            "molds": [
                {
                    "generation": mold.generation,
                    "pid": mold.pid,
                    "configured": mold.configured,
                    "ready": mold.ready,
                    "has_listeners": mold.has_listeners,
                    "forking": sorted(mold.forking),
                }
                for mold in self._molds.values()
                if mold.pid and mold.generation != UNORDERED
            ],
            "workers": [
                {
                    "pid": pid,
                    "slot": worker.slot,
                    "generation": worker.generation,
                    "forked_monotonic_ns": worker.forked_monotonic_ns,
                    "scoreboard": worker.scoreboard,
                }
                for pid, worker in self._workers.items()
            ],
            "listeners": [
                {
                    "generation": generation,
                    "names": [self._listeners[key].name for key in addresses],
                }
                for generation, addresses in self._addresses.items()
            ],
            "endings": list(self._endings),
            "unheard": list(self._unheard),
        }

    def _remember_unheard(self, relayed: Message, size_bytes: int) -> None:
        if self._unheard_bytes + size_bytes <= _MOST_UNHEARD_BYTES:
            self._unheard_bytes += size_bytes
            self._unheard.append(relayed)

    def _begin_drain(self, quick: bool) -> None:
        if self._drain is None or quick:
            self._drain = Drain(quick, self._grace_seconds)

    def _drain_further(self, drain: Drain) -> None:
        if self._workers or any(mold.forking and mold.pid for mold in self._molds.values()):
            for pid, number in drain.signals(self._workers):
                self._signal(pid, number)
            if not drain.is_over():
                return
        if not drain.tells_molds():
            if drain.is_over() or not self._children():
                self._leave()
            return
        newest = max((mold.generation for mold in self._molds.values() if mold.pid), default=0)
        for mold in self._molds.values():
            if mold.pid and mold.ready is not None:
                final = mold.generation == newest
                self._to_mold(mold.generation, {"type": "exit", "final": final})
            elif mold.pid:
                # It is loading and does not read messages; it has no worker and no request.
                self._signal(mold.pid, signal.SIGKILL)

    # Two herds, one of which takes the other's place

    def _lend(self, descriptor: int) -> None:
        if not lending.is_trusted(self._door.connection_of(descriptor)):
            detail = "it lends to root and to its own user only"
            self._refuse(descriptor, "RUNTIME_DIRECTORY_UNSAFE", detail)
            return
        self._loan = Loan(self._door.let_stay(descriptor))
        # The other herd's mold loads the same application, whose jobs would be done twice.
        self._tell_threads("pause_threads")
        with contextlib.suppress(OSError):
            self._loan.lend(self._listeners, PROTOCOL_VERSION)

    def _read_borrower(self, loan: Loan) -> None:
        messages = loan.read()
        for message in messages or ():
            if message["type"] == "give_way" and not loan.is_given_way:
                self._give_way(loan, lending.addresses_kept(message))
        if messages is None:
            self._poll.unregister(loan.fileno())
            loan.take_back()
            if not loan.is_given_way:
                self._loan = None
                self._tell_threads("resume_threads")

    def _give_way(self, loan: Loan, kept: set[str]) -> None:
        loan.is_given_way = True
        for address, listener in self._listeners.items():
            if address not in kept:
                listener.turn_away()
        self._let_go()
        self._begin_drain(quick=False)

    def _let_go(self) -> None:
        """All that is outside of this process is the borrower's."""
        for listener in self._listeners.values():
            listener.is_ours = False
        self._door.abandon()

    def _tell_threads(self, kind: str) -> None:
        """As a supervisor does at a reload."""
        for mold in self._molds.values():
            if mold.pid and mold.ready is not None and mold.ready.get("threads"):
                self._to_mold(mold.generation, {"type": kind})

    def _borrow(self, door_path: str) -> None:
        """Has the listeners of another herd; its door will be this keeper's."""
        try:
            self._borrowed = borrowing.borrow(door_path)
        except BorrowError as error:
            self._send({"type": "borrow_failed", "code": error.code, "detail": error.detail})
            return
        self._door = Door(door_path, self._poll)
        self._poll.register(self._borrowed.fileno(), select.POLLIN)
        pid, protocol = self._borrowed.pid, self._borrowed.protocol
        self._send({"type": "borrowed", "pid": pid, "protocol": protocol})

    def _take_over(self) -> None:
        """This herd serves: the other one is to end."""
        if self._borrowed is not None:
            self._borrowed.take_over(self._listeners.values())
        problem = None if self._door.is_open else self._door.open()
        self._send({"type": "taken_over", "door_problem": problem})

    def _read_lender(self, borrowed: Borrowed) -> None:
        heard = borrowed.hear()
        if heard == "gone":
            self._lose_lender(borrowed)
        elif heard == "taken_back":
            self._poll.unregister(borrowed.fileno())
            borrowed.close()
            detail = "the lender has taken its listeners back"
            self._send({"type": "borrow_failed", "code": "INTERNAL", "detail": detail})

    def _lose_lender(self, borrowed: Borrowed) -> None:
        self._poll.unregister(borrowed.fileno())
        borrowed.close()
        borrowed.own()
        if not self._door.is_open:
            self._door.open()
        self._send({"type": "lender_gone"})

    # Molds and workers

    def _start_mold(self, message: Message) -> None:
        generation: int = message["generation"]
        mold = self._unordered
        self._unordered = None
        if mold is None:
            # Another supervisor may have been started in another folder, with another interpreter.
            with _stays_where_it_is_on_failure():
                os.chdir(message["mold"]["cwd"])
                spawned = mold_process.spawn(
                    message["python"],
                    message["launcher"],
                    message["arguments"],
                    message["environment"],
                )
            descriptor_limit.give_back(spawned[0])
            mold = self._adopt(spawned)
        self._order(mold, generation, message["mold"])
        # The first mold may have ended before it was ordered, or before this process heard of it.
        self._reap()

    def _adopt_mold(self, message: Message) -> None:
        """Orders a worker that has retired. One that has ended was told of by process_exited."""
        for mold in self._molds.values():
            if mold.pid == message["pid"] and mold.generation == UNORDERED:
                self._order(mold, message["generation"], message["mold"])

    def _order(self, mold: Mold, generation: int, order: Message) -> None:
        mold.generation = generation
        mold.reach(Stage.ORDERED)
        self._to_mold(generation, {"type": "order", **order})
        self._send({"type": "mold_started", "generation": generation, "pid": mold.pid})

    def _adopt(self, spawned: tuple[int, int]) -> Mold:
        pid, descriptor = spawned
        mold = Mold(UNORDERED, pid, socket.socket(fileno=descriptor))
        self._molds[descriptor] = mold
        self._poll.register(descriptor, select.POLLIN)
        return mold

    def _forget_mold(self, mold: Mold) -> None:
        """Nothing more is read of it."""
        self._poll.unregister(mold.connection)
        del self._molds[mold.connection.fileno()]
        mold.connection.close()

    def _read_mold(self, descriptor: int) -> bool:
        """Takes one message of a mold. False when there is none."""
        mold = self._molds.get(descriptor)
        packet = None if mold is None else packets.receive(mold.connection)
        if mold is None or packet is None:
            return False
        if not packet.data:
            self._forget_mold(mold)
            packet.close()
            return False
        try:
            self._hear_mold(mold, packet)
        except Exception as error:
            packet.close()
            mold.bad_messages += 1
            self._tell_bad(mold.pid, mold.generation, error)
            if mold.bad_messages >= _MOST_BAD_MESSAGES:
                # It ends when it sees that.
                self._forget_mold(mold)
        return True

    def _hear_mold(self, mold: Mold, packet: Packet) -> None:
        """Raises BadMessage, or OSError for what came with it."""
        message = _message(packet)
        kind = message["type"]
        was_worker = mold.inherited is not None
        message_rules.of_mold(message, mold.stage, was_worker=was_worker, forking=mold.forking)
        if kind == "forked":
            self._take_worker(mold, message, packet)
            return
        packet.close()
        if kind == "configured" and mold.inherited is not None:
            message = mold.inherited
        relayed = {"type": "from_mold", "generation": mold.generation, "message": message}
        self._relay(relayed, kind, len(packet.data))
        stage = message_rules.stage_after(kind, mold.stage)
        if stage is not mold.stage:
            mold.reach(stage)
        if kind == "configured":
            mold.configured = message
        elif kind == "mold_ready":
            mold.ready = message
        elif kind == "fork_failed":
            mold.forking.discard(message["slot"])

    def _take_worker(self, mold: Mold, message: Message, packet: Packet) -> None:
        """A new worker: with the message come its channel and its row of the scoreboard.

        Its first words lie in the channel, and the kernel says of them who has sent them.
        """
        if len(packet.descriptors) != 2:
            raise BadMessage(f"forked with {len(packet.descriptors)} descriptors")
        channel, row = packet.descriptors
        if not scoreboard.is_sound(row):
            raise BadMessage("forked with a scoreboard that is no sealed file in memory")
        connection = socket.socket(fileno=os.dup(channel))
        first = packets.receive(connection)
        if first is not None:
            first.close()
        pid: int = message["pid"]
        if first is None or first.sender_pid != pid or pid <= 1 or pid in self._children():
            connection.close()
            sender = 0 if first is None else first.sender_pid
            raise BadMessage(f"forked of process {pid}, whose channel is that of {sender}")
        packet.take()
        os.close(channel)
        mold.forking.discard(message["slot"])
        worker = Worker(
            pid,
            message["slot"],
            mold,
            message["forked_monotonic_ns"],
            connection,
            row,
            Allowance(time.monotonic()),
        )
        self._workers[pid] = worker
        self._talkers[connection.fileno()] = worker
        self._poll.register(connection, select.POLLIN)
        relayed = {
            "type": "worker_forked",
            "generation": mold.generation,
            "slot": worker.slot,
            "pid": pid,
            "forked_monotonic_ns": worker.forked_monotonic_ns,
            "scoreboard": row,
        }
        self._relay(relayed, "forked", 0)

    def _read_worker(self, worker: Worker) -> bool:
        """Takes one message of a worker. False when there is none."""
        packet = None if worker.connection is None else packets.receive(worker.connection)
        if packet is None:
            return False
        packet.close()
        if not packet.data:
            self._stop_listening_to(worker)
            return False
        try:
            if not worker.allowance.takes(len(packet.data), time.monotonic()):
                raise BadMessage("more than a worker may say in this time")
            self._hear_worker(worker, packet)
        except Exception as error:
            worker.bad_messages += 1
            self._tell_bad(worker.pid, worker.generation, error)
            if worker.bad_messages >= _MOST_BAD_MESSAGES:
                self._stop_listening_to(worker)
        return True

    def _hear_worker(self, worker: Worker, packet: Packet) -> None:
        """Raises BadMessage."""
        message = _message(packet)
        message_rules.of_worker(message)
        kind = message["type"]
        if kind == "retired" and worker.configured is None:
            # It would be a mold without settings but its own.
            raise BadMessage("retired, and its mold has said no settings")
        relayed = {
            "type": "from_worker",
            "generation": worker.generation,
            "pid": worker.pid,
            "message": message,
        }
        self._relay(relayed, kind, len(packet.data))
        if kind == "retired":
            self._make_mold(worker)
            if self._supervisor is None:
                self._end_unordered()

    def _make_mold(self, worker: Worker) -> None:
        """It speaks as a mold from now on, on the same socket."""
        connection = worker.connection
        assert connection is not None
        worker.connection = None
        del self._talkers[connection.fileno()]
        self._poll.unregister(connection)
        self._forget_worker(worker)
        mold = self._adopt((worker.pid, connection.detach()))
        mold.inherited = worker.configured

    def _stop_listening_to(self, worker: Worker) -> None:
        if worker.connection is not None:
            self._poll.unregister(worker.connection)
            del self._talkers[worker.connection.fileno()]
            worker.connection.close()
            worker.connection = None

    def _forget_worker(self, worker: Worker) -> None:
        """It has ended, or is a worker no more."""
        self._stop_listening_to(worker)
        os.close(worker.scoreboard)
        del self._workers[worker.pid]

    def _tell_bad(self, pid: int, generation: int, error: Exception) -> None:
        self._send(
            {
                "type": "bad_message",
                "pid": pid or None,
                "generation": generation,
                "reason": _reason(error),
            }
        )

    def _relay(self, relayed: Message, kind: str, size_bytes: int) -> None:
        """To the supervisor; where there is none, what is of use to the next one is kept.

        Raises BadMessage for what JSON has no words for.
        """
        line = message_rules.write(relayed)
        if self._supervisor is None:
            if kind not in _NOTED:
                self._remember_unheard(relayed, size_bytes)
        elif relayed["type"] != "from_worker" or len(self._outgoing) < _MOST_OUTGOING_BYTES:
            self._outgoing += line
            self._flush()

    def _read_molds(self) -> None:
        """Relays all that has been said so far."""
        for descriptor in list(self._molds):
            while self._read_mold(descriptor):
                pass

    def _to_mold(self, generation: int, message: Message, descriptors: Sequence[int] = ()) -> None:
        for mold in self._molds.values():
            if mold.generation == generation:
                if message["type"] == "fork":
                    mold.forking.add(message["slot"])
                # A mold that has ended is told of by its process_exited.
                with contextlib.suppress(OSError):
                    socket.send_fds(
                        mold.connection, [json.dumps(message).encode()], list(descriptors)
                    )

    def _signal(self, pid: int, number: int) -> None:
        """Signals a mold or a worker; any other pid may be anybody's."""
        if self._is_child(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            return
        self._send({"type": "signal_failed", "pid": pid, "signal": int(number)})
        worker = self._workers.get(pid)
        if worker is not None and worker.is_settled(time.monotonic_ns()):
            # Never a child of ours: nobody else will tell of its end.
            self._forget_worker(worker)
            self._tell_ended(pid, None, None)

    def _is_child(self, pid: int) -> bool:
        """Whether it is a mold or a worker, and by the kernel's word a child that we have not
        reaped: so nobody else can have its pid until we do."""
        if pid <= 1 or pid not in self._children():
            return False
        try:
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        return True

    def _children(self) -> list[int]:
        return [*self._workers, *(mold.pid for mold in self._molds.values() if mold.pid)]

    def _drain_wakeup(self) -> None:
        numbers = b""
        with contextlib.suppress(BlockingIOError):
            while True:
                numbers += self._wakeup.recv(4096)
        self._reap()
        if signal.SIGTERM in numbers and self._supervisor is None:
            self._begin_drain(quick=False)

    def _reap(self) -> None:
        if self._unordered is not None:
            # The supervisor does not know of it yet.
            return
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            # What it has said, and that it was forked at all, comes before its end.
            self._read_molds()
            worker = self._workers.get(pid)
            counters = None
            if worker is not None:
                while self._read_worker(worker):
                    pass
                counters = self._counters_of(worker)
            for mold in self._molds.values():
                if mold.pid == pid:
                    mold.pid = 0
            self._tell_ended(pid, (status, usage), counters)

    def _tell_ended(
        self, pid: int, ended: tuple[int, struct_rusage] | None, counters: Message | None
    ) -> None:
        """``ended`` is what wait4(2) says; None of a process that was nobody's to wait for."""
        status, usage = (None, None) if ended is None else ended
        ending: Message = {
            "type": "process_exited",
            "pid": pid,
            "exit_status": None,
            "signal": None,
            "minor_faults": 0 if usage is None else usage.ru_minflt,
            "major_faults": 0 if usage is None else usage.ru_majflt,
            "cpu_seconds": 0.0 if usage is None else usage.ru_utime + usage.ru_stime,
            "counters": counters,
        }
        if status is not None and os.WIFEXITED(status):
            ending["exit_status"] = os.WEXITSTATUS(status)
        if status is not None and os.WIFSIGNALED(status):
            ending["signal"] = os.WTERMSIG(status)
        self._endings.append(ending)
        self._send(ending)

    def _counters_of(self, worker: Worker) -> Message | None:
        """What a worker that has ended had counted; None for one that has retired meanwhile."""
        if worker.pid not in self._workers:
            return None
        counters = scoreboard.read_counters(worker.scoreboard)
        self._forget_worker(worker)
        return counters._asdict()

    # Listeners

    def _listen(self, message: Message) -> None:
        """Has one generation's listeners: what is there at the same address is kept."""
        self._grace_seconds = message["grace_seconds"]
        generation: int = message["generation"]
        addresses = [json.dumps(address, sort_keys=True) for address in message["addresses"]]
        opened: dict[str, Listener] = {}
        try:
            for key, address in zip(addresses, message["addresses"], strict=True):
                if key in self._listeners or key in opened:
                    continue
                opened[key] = self._open(address, message)
        except ListenError as error:
            for listener in opened.values():
                listener.close()
            self._send(
                {
                    "type": "listen_failed",
                    "generation": generation,
                    "code": error.code,
                    "address": error.address,
                    "reason": error.reason,
                }
            )
            return
        self._listeners.update(opened)
        self._addresses[generation] = addresses
        names = [self._listeners[key].name for key in addresses]
        self._send({"type": "listening", "generation": generation, "listeners": names})

    def _open(self, address: Address, settings: Message) -> Listener:
        """Raises ListenError, whatever the settings say."""
        try:
            is_fd = address["kind"] == "fd"
            if self._borrowed is not None and not (
                is_fd and address["descriptor"] in self._inherited
            ):
                lent = self._borrowed.take(address)
                if lent is not None:
                    return lent
            if is_fd:
                return inherited.listen_on(
                    self._inherited, address["descriptor"], settings["backlog"]
                )
            return listen_on(
                address,
                backlog=settings["backlog"],
                reuse_port=settings["reuse_port"],
                umask=settings["umask"],
                uid=settings["uid"],
                gid=settings["gid"],
            )
        except (OSError, OverflowError, ValueError, TypeError) as error:
            # A port of six digits, say: gunicorn's parser takes it.
            raise ListenError("ADDRESS_UNAVAILABLE", name_of(address), _reason(error)) from error

    def _give_listeners(self, generation: int) -> None:
        listeners = [self._listeners[key] for key in self._addresses.get(generation, ())]
        for mold in self._molds.values():
            if mold.generation == generation:
                mold.has_listeners = True
        self._to_mold(
            generation,
            {
                "type": "listeners",
                "families": [each.family_name for each in listeners],
                "inherited": [each.is_inherited for each in listeners],
            },
            [each.socket.fileno() for each in listeners],
        )

    def _queues(self) -> list[Message]:
        """What waits on each listener."""
        queues = []
        for listener in self._listeners.values():
            queue = queue_of(listener.socket)
            if queue is not None:
                queues.append({"name": listener.name, **queue._asdict()})
        return queues

    def _keep_listeners(self, generations: list[int]) -> None:
        """Closes what none of these generations listens on."""
        for generation in list(self._addresses):
            if generation not in generations:
                del self._addresses[generation]
        kept = {key for addresses in self._addresses.values() for key in addresses}
        for key in list(self._listeners):
            if key not in kept:
                self._listeners.pop(key).close()

    def _leave(self) -> NoReturn:
        """Ends what is still there, takes the socket files away and leaves."""
        while True:
            # A dead mold may still have told of a worker.
            self._read_molds()
            children = self._children()
            if not children or not _has_children():
                break
            for pid in children:
                self._signal(pid, signal.SIGKILL)
            select.select([self._wakeup], [], [], 1.0)
            self._drain_wakeup()
        if self._loan is not None and self._loan.leave():
            self._let_go()
        if self._borrowed is not None:
            if self._borrowed.leave():
                self._lose_lender(self._borrowed)
            self._borrowed.close_listeners()
        for listener in self._listeners.values():
            listener.close()
        self._send({"type": "keeper_leaving"})
        # The supervisor takes these away, where there is one.
        self._door.close(with_directory=self._supervisor is None)
        sys.stdout.flush()
        os._exit(0)


@contextlib.contextmanager
def _stays_where_it_is_on_failure() -> Iterator[None]:
    """Goes back to the present folder, which may be gone by now, when something is raised."""
    folder = os.open(".", os.O_PATH | os.O_CLOEXEC)
    try:
        yield
    except Exception:
        os.fchdir(folder)
        raise
    finally:
        os.close(folder)


def _has_children() -> bool:
    """Whether the kernel knows of any, ended or not."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _message(packet: Packet) -> Message:
    """Raises BadMessage."""
    if packet.is_cut:
        raise BadMessage("a packet larger than any message")
    return message_rules.read(packet.data)


def _reason(error: Exception) -> str:
    """For people."""
    if isinstance(error, BadMessage):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return f"{type(error).__name__}: {error}"


def _notify(address: str, text: str) -> None:
    """Tells the service manager; whether it listens is its own affair (sd_notify(3))."""
    if address.startswith("@"):
        address = "\0" + address[1:]
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender,
    ):
        sender.sendto(text.encode(), address)


def main(arguments: Sequence[str]) -> NoReturn:
    """Runs the keeper on the inherited descriptor 3, until the supervisor tells it to leave.

    ``arguments`` are the path of the keeper's own socket, the pid of the first mold, and the
    descriptor of the socket to it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
    libc.prctl(PR_SET_NAME, b"cowherd-keeper", 0, 0, 0)
    os.set_inheritable(SUPERVISOR_DESCRIPTOR, False)
    door_path = arguments[0]
    first_mold, descriptor = map(int, arguments[1:])
    os.set_inheritable(descriptor, False)
    descriptor_limit.raise_limit()
    Keeper(socket.socket(fileno=SUPERVISOR_DESCRIPTOR), (first_mold, descriptor), door_path).run()
