"""The keeper: holds the listeners, reaps every process of the herd, starts molds.

Standard library only, and little of it, for it stays for as long as the server does. It never
imports the application and decides nothing: it carries out the supervisor's commands, relays
messages between the supervisor and the molds, and reports every process that ends.

When the supervisor dies, it keeps all of them running, keeps in mind what the next one has to know,
and waits for it at its door (door.py). Told to end without a supervisor, it drains the herd itself
(drain.py).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import select
import signal
import socket
import struct
import sys
from collections import deque
from collections.abc import Sequence
from typing import Any, NoReturn

from cowherd_agent import background, inherited, mold_process
from cowherd_agent.door import Door
from cowherd_agent.drain import Drain
from cowherd_agent.listeners import Listener, ListenError, listen_on
from cowherd_agent.messages import LARGEST_PACKET_BYTES, PROTOCOL_VERSION, Message

SUPERVISOR_DESCRIPTOR = 3

# The generation of a mold that was here before its order: the first one, and a retired worker.
UNORDERED = 0

# include/uapi/linux/prctl.h
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36

_DESCRIPTOR = struct.Struct("i")

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


class Mold:
    """A mold process, the keeper's end of its packet socket, and how far it is."""

    __slots__ = (
        "configured",
        "connection",
        "forking",
        "generation",
        "has_listeners",
        "pid",
        "ready",
    )

    def __init__(self, generation: int, pid: int, connection: socket.socket) -> None:
        self.generation = generation
        self.pid = pid
        self.connection = connection
        # What it said last of these two kinds.
        self.configured: Message | None = None
        self.ready: Message | None = None
        self.has_listeners = False
        # Slots for which a fork was asked and not yet answered.
        self.forking: set[int] = set()


class Worker:
    """What the next supervisor has to know of a worker."""

    __slots__ = ("forked_monotonic_ns", "generation", "slot")

    def __init__(self, slot: int, generation: int, forked_monotonic_ns: int) -> None:
        self.slot = slot
        self.generation = generation
        self.forked_monotonic_ns = forked_monotonic_ns


class Keeper:
    def __init__(
        self, supervisor: socket.socket, first_mold: tuple[int, int] | None, door_path: str = ""
    ) -> None:
        # None while there is none.
        self._supervisor: socket.socket | None = supervisor
        self._incoming = b""
        self._outgoing = bytearray()
        self._molds: dict[int, Mold] = {}
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
        self._unheard: deque[tuple[int, Message]] = deque(maxlen=_MOST_UNHEARD)
        self._unheard_bytes = 0
        self._drain: Drain | None = None
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
            self._command(json.loads(line))

    def _command(self, message: Message) -> None:
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
            # Another process than a child of ours may have its pid by now.
            if message["pid"] in self._children():
                background.set_background(message["pid"], message["background"])
        elif kind == "notify":
            _notify(message["address"], message["text"])
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
        for message in self._door.read(descriptor):
            kind = message["type"]
            if kind == "look":
                self._door.answer(descriptor, self._looked())
            elif message["protocol"] != PROTOCOL_VERSION:
                detail = f"the keeper speaks version {PROTOCOL_VERSION}, not {message['protocol']}"
                self._refuse(descriptor, "PROTOCOL_MISMATCH", detail)
            elif self._supervisor is not None:
                self._refuse(descriptor, "RUNTIME_DIRECTORY_BUSY", "it has a supervisor")
            elif kind == "drain":
                self._door.answer(descriptor, self._looked())
                self._begin_drain(message["quick"])
            elif kind == "adopt" and self._drain is not None:
                self._refuse(descriptor, "RUNTIME_DIRECTORY_BUSY", "its herd is being ended")
            elif kind == "adopt":
                self._supervisor = self._door.hand_over(descriptor)
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
            "unheard": [
                {"generation": generation, "message": message}
                for generation, message in self._unheard
            ],
        }

    def _remember_unheard(self, generation: int, message: Message, size_bytes: int) -> None:
        if self._unheard_bytes + size_bytes <= _MOST_UNHEARD_BYTES:
            self._unheard_bytes += size_bytes
            self._unheard.append((generation, message))

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

    # Molds and workers

    def _start_mold(self, message: Message) -> None:
        generation: int = message["generation"]
        mold = self._unordered
        self._unordered = None
        if mold is None:
            # Another supervisor may have been started in another folder, with another interpreter.
            os.chdir(message["mold"]["cwd"])
            mold = self._adopt(
                mold_process.spawn(message["python"], message["arguments"], message["environment"])
            )
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
        self._to_mold(generation, {"type": "order", **order})
        self._send({"type": "mold_started", "generation": generation, "pid": mold.pid})

    def _adopt(self, spawned: tuple[int, int]) -> Mold:
        pid, descriptor = spawned
        mold = Mold(UNORDERED, pid, socket.socket(fileno=descriptor))
        self._molds[descriptor] = mold
        self._poll.register(descriptor, select.POLLIN)
        return mold

    def _read_mold(self, descriptor: int) -> bool:
        """Relays one message of a mold or of its workers. False when there is none."""
        mold = self._molds.get(descriptor)
        if mold is None:
            return False
        try:
            # Not socket.recv_fds, which forgets the flags (Lib/socket.py, 3.10 to 3.13).
            data, ancillary, _, _ = mold.connection.recvmsg(
                LARGEST_PACKET_BYTES,
                socket.CMSG_SPACE(_DESCRIPTOR.size),
                socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC,
            )
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EINTR):
                return False
            if error.errno == errno.ECONNRESET:
                # The mold left with something of ours unread, which is told before what it has
                # said itself (net/unix/af_unix.c, unix_release_sock): that is still to be read.
                return True
            data, ancillary = b"", []
        if not data:
            # The mold and every worker of its generation are gone.
            self._poll.unregister(mold.connection)
            mold.connection.close()
            del self._molds[descriptor]
            return False
        message: Any = json.loads(data)
        if message["type"] == "retired":
            # From now on it speaks on a socket of its own, which came with the message.
            self._workers.pop(message["pid"], None)
            ((_, _, packed),) = ancillary
            self._adopt((message["pid"], *_DESCRIPTOR.unpack(packed)))
            if self._supervisor is None:
                self._end_unordered()
        self._note(mold, message, len(data))
        self._send({"type": "from_mold", "generation": mold.generation, "message": message})
        return True

    def _note(self, mold: Mold, message: Message, size_bytes: int) -> None:
        """Keeps what a later supervisor has to know of this message."""
        kind = message["type"]
        if kind == "forked":
            mold.forking.discard(message["slot"])
            self._workers[message["pid"]] = Worker(
                message["slot"], mold.generation, message["forked_monotonic_ns"]
            )
        elif kind == "configured":
            mold.configured = message
            mold.ready = None
            mold.has_listeners = False
        elif kind == "mold_ready":
            mold.ready = message
        elif kind == "fork_failed":
            mold.forking.discard(message["slot"])
        if self._supervisor is None and kind not in _NOTED:
            self._remember_unheard(mold.generation, message, size_bytes)

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
        """Signals a mold or worker that we have not reaped; any other pid may be anybody's."""
        if pid in self._children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        else:
            self._send({"type": "signal_failed", "pid": pid, "signal": int(number)})

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
            self._workers.pop(pid, None)
            for mold in self._molds.values():
                if mold.pid == pid:
                    mold.pid = 0
            ending = {
                "type": "process_exited",
                "pid": pid,
                "exit_status": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
                "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
                "minor_faults": usage.ru_minflt,
                "major_faults": usage.ru_majflt,
                "cpu_seconds": usage.ru_utime + usage.ru_stime,
            }
            self._endings.append(ending)
            self._send(ending)

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
                if address["kind"] == "fd":
                    opened[key] = inherited.listen_on(
                        self._inherited, address["descriptor"], message["backlog"]
                    )
                    continue
                opened[key] = listen_on(
                    address,
                    backlog=message["backlog"],
                    reuse_port=message["reuse_port"],
                    umask=message["umask"],
                    uid=message["uid"],
                    gid=message["gid"],
                )
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
            if not children:
                break
            for pid in children:
                self._signal(pid, signal.SIGKILL)
            select.select([self._wakeup], [], [], 1.0)
            self._drain_wakeup()
        for listener in self._listeners.values():
            listener.close()
        self._send({"type": "keeper_leaving"})
        # The supervisor takes these away, where there is one.
        self._door.close(with_directory=self._supervisor is None)
        sys.stdout.flush()
        os._exit(0)


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
    Keeper(socket.socket(fileno=SUPERVISOR_DESCRIPTOR), (first_mold, descriptor), door_path).run()
