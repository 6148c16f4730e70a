"""The keeper's adoption socket: a Unix socket in the runtime directory, for later supervisors.

A supervisor that adopts the herd of a dead one connects here, and so do the commands ``status`` and
``stop`` when there is no supervisor. Only the owner of the runtime directory can connect.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import socket
from typing import TYPE_CHECKING

from cowherd_agent.wire import message_rules
from cowherd_agent.wire.message_rules import BadMessage
from cowherd_agent.wire.messages import Message

if TYPE_CHECKING:
    from cowherd_agent.wire.message_types import KeeperLooked, KeeperRefused

# One more visitor, and the oldest is dropped. A visitor sends one line and leaves.
_MOST_VISITORS = 16
_LONGEST_LINE_BYTES = 4096

# A herd's files in its runtime directory (src/supervisor/runtime-directory/runtime-directory.ts);
# removed here when no supervisor is there to do it. The adoption socket itself goes last: a new
# supervisor that finds nobody listening on it starts its own herd.
_RUNTIME_FILES = ("control.sock", "herd.json", "herd.json.new")
# Marks the folder as made by Cowherd (src/supervisor/runtime-directory/runtime-folder.ts).
_MADE_MARKER = ".cowherd"
# Molds of older versions wrote their censuses there.
_OLD_CENSUS_FILE = re.compile(r"census-\d+(\.new)?", re.ASCII)


class Visitor:
    __slots__ = ("connection", "incoming")

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.incoming = b""


class AdoptionSocket:
    """Closed until :meth:`open`; all sockets are registered with ``poll``."""

    def __init__(self, path: str, poll: select.poll) -> None:
        self._path = path
        self._poll = poll
        self._listening: socket.socket | None = None
        self._visitors: dict[int, Visitor] = {}

    @property
    def is_open(self) -> bool:
        return self._listening is not None

    def open(self) -> str | None:
        """Listens, if there is a path. Returns the reason for a failure: the herd can serve without
        it."""
        if self._path == "":
            return None
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        previous_umask = os.umask(0o177)
        try:
            # A leftover of a killed keeper; the supervisor has checked that nobody listens on it.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)
            listening.bind(self._path)
            listening.listen()
        except OSError as error:
            listening.close()
            return f"{self._path}: {error.strerror}"
        finally:
            os.umask(previous_umask)
        listening.setblocking(False)
        self._listening = listening
        self._poll.register(listening, select.POLLIN)
        return None

    def reopen_where_gone(self) -> None:
        """Listens again if the file was removed, alone or with its folder, which the supervisor
        makes again. Visitors stay."""
        directory = os.path.dirname(self._path)
        if self._listening is None or os.path.lexists(self._path) or not os.path.isdir(directory):
            return
        before = self._listening
        if self.open() is not None:
            # Retried later. The old socket is unreachable, but records that there is to be one.
            return
        self._poll.unregister(before)
        before.close()

    def knows(self, descriptor: int) -> bool:
        """Whether it is the adoption socket itself or a visitor's."""
        if self._listening is not None and descriptor == self._listening.fileno():
            return True
        return descriptor in self._visitors

    def read(self, descriptor: int) -> list[Message]:
        """A visitor's messages; also accepts new visitors and drops finished ones."""
        visitor = self._visitors.get(descriptor)
        if visitor is None:
            self._let_in()
            return []
        try:
            data = visitor.connection.recv(_LONGEST_LINE_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        *lines, visitor.incoming = (visitor.incoming + data).split(b"\n")
        if not data or len(visitor.incoming) > _LONGEST_LINE_BYTES:
            self._let_out(descriptor)
            return []
        try:
            return [message_rules.read(line) for line in lines]
        except BadMessage:
            self._let_out(descriptor)
            return []

    def answer(self, descriptor: int, message: KeeperLooked | KeeperRefused) -> None:
        """Sends a message to a visitor; the socket has room for it. A visitor who left misses
        it.
        """
        visitor = self._visitors.get(descriptor)
        if visitor is not None:
            with contextlib.suppress(OSError):
                visitor.connection.send(json.dumps(message).encode() + b"\n")

    def connection_of(self, descriptor: int) -> socket.socket:
        return self._visitors[descriptor].connection

    def let_stay(self, descriptor: int) -> socket.socket:
        """Hands over the connection of a visitor who stays; it is still registered."""
        return self._visitors.pop(descriptor).connection

    def abandon(self) -> None:
        """Closes the socket; its file and directory belong to another keeper from now on."""
        if self._listening is not None:
            self._poll.unregister(self._listening)
            self._listening.close()
            self._listening = None

    def close(self, with_directory: bool) -> None:
        """Closes the socket and removes its file; ``with_directory`` also removes the herd's files
        there."""
        if self._listening is None:
            return
        directory = os.path.dirname(self._path)
        if with_directory:
            with contextlib.suppress(OSError):
                self._remove_files(directory)
        with contextlib.suppress(OSError):
            os.unlink(self._path)
        self._listening.close()
        if with_directory:
            with contextlib.suppress(OSError):
                os.rmdir(directory)

    def _remove_files(self, directory: str) -> None:
        kept = {os.path.basename(self._path), _MADE_MARKER}
        for name in os.listdir(directory):
            if name in _RUNTIME_FILES or _OLD_CENSUS_FILE.fullmatch(name):
                os.unlink(os.path.join(directory, name))
        # If somebody keeps a file of their own there, the marker stays with it, for the next herd.
        if kept.issuperset(os.listdir(directory)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(directory, _MADE_MARKER))

    def _let_in(self) -> None:
        if self._listening is None:
            return
        try:
            connection, _ = self._listening.accept()
        except OSError:
            return
        if len(self._visitors) >= _MOST_VISITORS:
            self._let_out(next(iter(self._visitors)))
        connection.setblocking(False)
        self._visitors[connection.fileno()] = Visitor(connection)
        self._poll.register(connection, select.POLLIN)

    def _let_out(self, descriptor: int) -> None:
        visitor = self._visitors.pop(descriptor)
        self._poll.unregister(visitor.connection)
        visitor.connection.close()
