"""The keeper: holds the listeners, reaps every process of the herd, starts molds.

Standard library only, and little of it, for it stays for as long as the server does. It never
imports the application. While there is a supervisor it decides nothing: it carries out commands,
relays messages between the supervisor and the herd, and reports every process that ends.

It may be root's while workers are not. So it believes nobody: message_rules.py says what it takes
of whom, the kernel says who has sent a packet, and a signal goes only to a child. What can't be
taken or carried out is told to the supervisor, and ends nothing here.

When the supervisor dies, the keeper keeps all of the herd running, keeps in mind what the next
supervisor has to know, and waits for one at its adoption socket (visitors.py). Told to end without
a supervisor, it drains the herd itself (drain.py). To the keeper of a herd that is to take this
one's place it lends the listeners (succession.py).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NoReturn

from cowherd_agent.keeper import (
    background,
    descriptor_limit,
    dirty_arbiters,
    inherited,
    mold_process,
    service_manager,
)
from cowherd_agent.keeper.adoption_socket import AdoptionSocket
from cowherd_agent.keeper.drain import Drain
from cowherd_agent.keeper.hearing import Hearing
from cowherd_agent.keeper.herd_members import UNORDERED, Mold
from cowherd_agent.keeper.herd_processes import HerdProcesses, has_children
from cowherd_agent.keeper.left_file import LeftFile
from cowherd_agent.keeper.listener_table import ListenerTable
from cowherd_agent.keeper.reason import reason_of
from cowherd_agent.keeper.succession import Succession
from cowherd_agent.keeper.supervisor_connection import SupervisorConnection
from cowherd_agent.keeper.visitors import Visitors
from cowherd_agent.wire import commands, message_rules
from cowherd_agent.wire.message_rules import Stage
from cowherd_agent.wire.messages import PROTOCOL_VERSION, Message

if TYPE_CHECKING:
    from cowherd_agent.wire.command_types import (
        AdoptMoldCommand,
        KeeperCommand,
        MoldOrder,
        StartMoldCommand,
    )
    from cowherd_agent.wire.messages import Listeners

SUPERVISOR_DESCRIPTOR = 3

# include/uapi/linux/prctl.h
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36

# How long workers may finish their requests in a herd without a supervisor (gunicorn's default
# graceful_timeout; the supervisor sends the configured one with `listen`).
DEFAULT_GRACE_SECONDS = 30.0


class Keeper:
    def __init__(
        self, supervisor: socket.socket, first_mold: tuple[int, int] | None, socket_path: str = ""
    ) -> None:
        poll = select.poll()
        self.poll = poll
        self.supervisor = SupervisorConnection(supervisor, poll, self._lose_supervisor)
        self.processes = HerdProcesses(poll, self.supervisor)
        self.hearing = Hearing(self.processes, self.supervisor)
        self.listeners = ListenerTable(inherited.take_sockets())
        self.succession = Succession(
            AdoptionSocket(socket_path, poll),
            poll,
            self.supervisor,
            self.processes,
            self.listeners,
            lambda: self._begin_drain(quick=False),
        )
        self._visitors = Visitors(
            self.supervisor,
            self.processes,
            self.listeners,
            self.succession,
            lambda: self._drain is not None,
            self._begin_drain,
        )
        self._wakeup, self._wakeup_writer = socket.socketpair()
        self._grace_seconds = DEFAULT_GRACE_SECONDS
        self._drain: Drain | None = None
        self._left_file = LeftFile()
        if first_mold is not None:
            self.processes.unordered = self._adopt(first_mold)

    def run(self) -> NoReturn:
        for end in (self._wakeup, self._wakeup_writer):
            end.setblocking(False)
        # Both are looked at in `_drain_wakeup`.
        for noticed in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(noticed, lambda _signal, _frame: None)
        signal.set_wakeup_fd(self._wakeup_writer.fileno(), warn_on_full_buffer=False)
        # The supervisor decides when to leave; a stray signal to the group must not.
        for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(ignored, signal.SIG_IGN)
        self.poll.register(self._wakeup, select.POLLIN)
        self.supervisor.begin()
        self.supervisor.send(
            {
                "type": "keeper_ready",
                "protocol": PROTOCOL_VERSION,
                "pid": os.getpid(),
                "executable": sys.executable,
                "python_version": ".".join(map(str, sys.version_info[:3])),
                "implementation": sys.implementation.name,
                "free_threaded": not getattr(sys, "_is_gil_enabled", lambda: True)(),
                "adoption_problem": self.succession.adoption_socket.open(),
            }
        )
        while True:
            self._turn()

    def _turn(self) -> None:
        timeout_ms = None if self._drain is None else self._drain.timeout_ms()
        for descriptor, event in self.poll.poll(timeout_ms):
            self._react(descriptor, event)
        if self._drain is not None:
            self._drain_further(self._drain)
        elif not self.supervisor.is_open and not self.processes.children():
            # Nothing is left that a supervisor could adopt.
            self._leave()

    def _react(self, descriptor: int, event: int) -> None:
        if descriptor == self._wakeup.fileno():
            self._drain_wakeup()
        elif self.supervisor.is_at(descriptor):
            if event & select.POLLOUT:
                self.supervisor.flush()
            if event & (select.POLLIN | select.POLLHUP | select.POLLERR):
                for line in self.supervisor.read():
                    self.command(line)
        elif self.succession.adoption_socket.knows(descriptor):
            self._visitors.answer(descriptor)
        elif descriptor in self.processes.talkers:
            self.hearing.read_worker(self.processes.talkers[descriptor])
        elif self.succession.knows(descriptor):
            self.succession.read(descriptor)
        else:
            self.hearing.read_mold(descriptor)

    # Commands

    def command(self, line: bytes) -> None:
        """Carries out a command; what goes wrong with it is told, and ends only the command."""
        told: Message = {}
        try:
            told = message_rules.read(line)
            self.carry_out(commands.keeper_command(told))
        except Exception as error:
            generation = told.get("generation")
            self.supervisor.send(
                {
                    "type": "command_failed",
                    "command": told.get("type", "?"),
                    "generation": generation if type(generation) is int else None,
                    "reason": reason_of(error),
                }
            )

    def carry_out(self, command: KeeperCommand) -> None:
        """Raises whatever goes wrong."""
        if command["type"] == "start_mold":
            self._start_mold(command)
        elif command["type"] == "adopt_mold":
            self._adopt_mold(command)
        elif command["type"] == "listen":
            self._grace_seconds = command["grace_seconds"]
            self.supervisor.send(self.listeners.listen(command))
        elif command["type"] == "give_listeners":
            self._give_listeners(command["generation"])
        elif command["type"] == "keep_listeners":
            self.listeners.keep(command["generations"])
        elif command["type"] == "remove_at_end":
            self._left_file.note(command["path"], command["inode"])
        elif command["type"] == "turn_away":
            self.listeners.turn_away()
        elif command["type"] == "to_mold":
            self.processes.to_mold(command["generation"], command["message"])
        elif command["type"] == "signal":
            self.processes.signal(command["pid"], command["signal"])
        elif command["type"] == "set_background":
            if self.processes.is_child(command["pid"]):
                background.set_background(command["pid"], command["background"])
        elif command["type"] == "pulse":
            self.succession.adoption_socket.reopen_where_gone()
            self.supervisor.send({"type": "pulse", "queues": self.listeners.queues()})
        elif command["type"] == "notify":
            service_manager.notify(command["address"], command["text"])
        elif command["type"] == "borrow":
            self.succession.borrow(command["adoption_socket"])
        elif command["type"] == "take_over":
            self.succession.take_over()
        elif command["type"] == "exit":
            self._leave()
        else:
            commands.unhandled(command)

    def _start_mold(self, command: StartMoldCommand) -> None:
        mold = self.processes.unordered
        self.processes.unordered = None
        if mold is None:
            # Another supervisor may have been started in another folder, with another interpreter.
            with _stays_where_it_is_on_failure():
                os.chdir(command["mold"]["cwd"])
                spawned = mold_process.spawn(
                    command["python"],
                    command["launcher"],
                    command["arguments"],
                    command["environment"],
                )
            descriptor_limit.give_back(spawned[0])
            mold = self._adopt(spawned)
        self._order(mold, command["generation"], command["mold"])
        # The first mold may have ended before it was ordered, or before this process heard of it.
        self.reap()

    def _adopt_mold(self, command: AdoptMoldCommand) -> None:
        """Orders a worker that has retired. The end of one is told by its process_exited."""
        for mold in self.processes.molds.values():
            if mold.pid == command["pid"] and mold.generation == UNORDERED:
                self._order(mold, command["generation"], command["mold"])

    def _order(self, mold: Mold, generation: int, order: MoldOrder) -> None:
        mold.generation = generation
        mold.reach(Stage.ORDERED)
        self.processes.to_mold(generation, {"type": "order", **order})
        self.supervisor.send({"type": "mold_started", "generation": generation, "pid": mold.pid})

    def _adopt(self, spawned: tuple[int, int]) -> Mold:
        pid, descriptor = spawned
        return self.processes.add_mold(pid, socket.socket(fileno=descriptor))

    def _give_listeners(self, generation: int) -> None:
        for mold in self.processes.molds.values():
            if mold.generation == generation:
                mold.has_listeners = True
        given = self.listeners.of(generation)
        message: Listeners = {
            "type": "listeners",
            "families": [each.family_name for each in given],
            "inherited": [each.is_inherited for each in given],
        }
        self.processes.to_mold(generation, message, [each.socket.fileno() for each in given])

    # Without a supervisor

    def _lose_supervisor(self) -> None:
        """Everything runs on, for the next supervisor to adopt."""
        self.processes.unordered = None
        self.processes.end_unordered()
        self.reap()
        if not self.succession.adoption_socket.is_open:
            # No other will ever come.
            self._begin_drain(quick=False)

    def _begin_drain(self, quick: bool) -> None:
        if self._drain is None or quick:
            self._drain = Drain(quick, self._grace_seconds)

    def _drain_further(self, drain: Drain) -> None:
        if self.processes.may_have_workers():
            for pid, number in drain.signals(self.processes.workers):
                self.processes.signal(pid, number)
            if not drain.is_over():
                return
        if drain.tells_molds():
            self.processes.exit_molds()
        elif drain.is_over() or not self.processes.children():
            self._leave()

    # Ends

    def _drain_wakeup(self) -> None:
        numbers = b""
        with contextlib.suppress(BlockingIOError):
            while True:
                numbers += self._wakeup.recv(4096)
        self.reap()
        if signal.SIGTERM in numbers and not self.supervisor.is_open:
            self._begin_drain(quick=False)

    def reap(self) -> None:
        self.processes.reap(self.hearing.read_all_molds, self.hearing.read_all_of)

    def _leave(self) -> NoReturn:
        """Ends the processes that are still there, removes the socket files and leaves."""
        while True:
            # A dead mold may still have told of a worker.
            self.hearing.read_all_molds()
            children = self.processes.children()
            if not children or not has_children():
                break
            for pid in children:
                self.processes.signal(pid, signal.SIGKILL)
            select.select([self._wakeup], [], [], 1.0)
            self._drain_wakeup()
        dirty_arbiters.wait_for_their_end(self.reap)
        self.succession.leave()
        self.listeners.close()
        self._left_file.remove()
        self.supervisor.send({"type": "keeper_leaving"})
        # The supervisor removes the runtime directory, where there is one.
        self.succession.adoption_socket.close(with_directory=not self.supervisor.is_open)
        sys.stdout.flush()
        os._exit(0)


@contextlib.contextmanager
def _stays_where_it_is_on_failure() -> Iterator[None]:
    """Returns to the present folder, which may have been removed, when something is raised."""
    folder = os.open(".", os.O_PATH | os.O_CLOEXEC)
    try:
        yield
    except Exception:
        os.fchdir(folder)
        raise
    finally:
        os.close(folder)


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
    socket_path = arguments[0]
    first_mold, descriptor = map(int, arguments[1:])
    os.set_inheritable(descriptor, False)
    descriptor_limit.raise_limit()
    Keeper(socket.socket(fileno=SUPERVISOR_DESCRIPTOR), (first_mold, descriptor), socket_path).run()
