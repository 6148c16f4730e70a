"""Listening sockets, made as gunicorn makes them (gunicorn/sock.py) but by the keeper."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from typing import TYPE_CHECKING, Literal

from cowherd_agent.keeper import turn_away
from cowherd_agent.keeper.socket_file import remove_socket_file

if TYPE_CHECKING:
    from cowherd_agent.wire.settings_types import Address, TcpAddress, UnixAddress


ListenErrorCode = Literal["ADDRESS_IN_USE", "ADDRESS_UNAVAILABLE"]


class ListenError(Exception):
    """An address that can't be listened on; ``code`` is one of the error catalogue's."""

    def __init__(self, code: ListenErrorCode, address: str, reason: str) -> None:
        super().__init__(f"{address}: {reason}")
        self.code = code
        self.address = address
        self.reason = reason


class Listener:
    """A listening socket and, for a Unix socket that was made here, its file.

    ``inode`` is the file's, if another keeper made it.

    Attributes:
        is_ours: whether this keeper is to remove the file and turn new connections away. Another
            keeper may have the socket too (lending.py).
    """

    __slots__ = ("_inode", "_path", "family_name", "is_inherited", "is_ours", "name", "socket")

    def __init__(
        self,
        listening: socket.socket,
        path: str | None,
        is_inherited: bool = False,
        inode: int | None = None,
    ) -> None:
        self.socket = listening
        self.is_inherited = is_inherited
        self.is_ours = True
        self._path = path
        self._inode = inode
        if inode is None and path and not path.startswith("\0"):
            self._inode = os.stat(path).st_ino
        if listening.family == socket.AF_UNIX:
            self.family_name = "unix"
            self.name = f"unix:{path or os.fsdecode(listening.getsockname())}"
        else:
            host, port = listening.getsockname()[:2]
            is_ipv6 = listening.family == socket.AF_INET6
            self.family_name = "tcp6" if is_ipv6 else "tcp"
            self.name = f"http://[{host}]:{port}" if is_ipv6 else f"http://{host}:{port}"

    @property
    def file(self) -> dict[str, str | int] | None:
        """Path and inode of the socket file; None if there is none."""
        if self._path is None or self._inode is None:
            return None
        return {"path": os.path.abspath(self._path), "inode": self._inode}

    def turn_away(self) -> None:
        """Refuses new connections; queued ones stay, for workers to accept. A socket that the
        server was started with is left alone: it outlives the server."""
        if self.is_inherited or not self.is_ours:
            return
        if self._inode is not None:
            self._remove_file()
        elif self.family_name == "unix":
            # An abstract socket has no file. One connection can still be queued.
            self.socket.listen(0)
        else:
            # A kernel that can't do it queues late connections, up to the backlog.
            with contextlib.suppress(OSError):
                turn_away.turn_away_tcp(self.socket)

    def close(self) -> None:
        """Closes the socket and removes its file, unless another server has replaced the file."""
        self.socket.close()
        if self.is_ours:
            self._remove_file()

    def _remove_file(self) -> None:
        if self._path is not None and self._inode is not None:
            remove_socket_file(self._path, self._inode)


def listen_on(
    address: TcpAddress | UnixAddress,
    *,
    backlog: int,
    reuse_port: bool,
    umask: int,
    uid: int,
    gid: int,
) -> Listener:
    """Binds and listens. ``backlog`` counts connections; ``umask``, ``uid`` and ``gid`` are for
    the files of Unix sockets. Raises ListenError."""
    if address["kind"] == "unix":
        return _listen_unix(address["path"], backlog, umask, uid, gid)
    return _listen_tcp(address["host"], address["port"], backlog, reuse_port)


def name_of(address: Address) -> str:
    """The address for people, also for one that can't be listened on."""
    if address["kind"] == "unix":
        return f"unix:{address['path']}"
    if address["kind"] == "fd":
        return f"fd://{address['descriptor']}"
    return f"{address['host']}:{address['port']}"


def _listen_tcp(host: str, port: int, backlog: int, reuse_port: bool) -> Listener:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    name = f"{host}:{port}"
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if reuse_port:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind((host, port))
        listening.listen(backlog)
    except OSError as error:
        listening.close()
        raise _listen_error(error, name) from error
    listening.setblocking(False)
    return Listener(listening, None)


def _listen_unix(path: str, backlog: int, umask: int, uid: int, gid: int) -> Listener:
    if not path.startswith("\0"):
        _remove_dead_socket(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    previous_umask = os.umask(umask)
    try:
        listening.bind(path)
        if not path.startswith("\0") and (uid != os.geteuid() or gid != os.getegid()):
            os.chown(path, uid, gid)
        listening.listen(backlog)
    except OSError as error:
        listening.close()
        raise _listen_error(error, f"unix:{path}") from error
    finally:
        os.umask(previous_umask)
    listening.setblocking(False)
    return Listener(listening, path)


def _remove_dead_socket(path: str) -> None:
    """Removes a socket file that nobody listens on any more. Raises ListenError if somebody does,
    or if the file is not a socket."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return
    if not stat.S_ISSOCK(mode):
        raise ListenError("ADDRESS_UNAVAILABLE", f"unix:{path}", "a file that is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            os.unlink(path)
            return
        except OSError as error:
            raise _listen_error(error, f"unix:{path}") from error
    raise ListenError("ADDRESS_IN_USE", f"unix:{path}", "another server answers there")


def _listen_error(error: OSError, name: str) -> ListenError:
    code: ListenErrorCode = (
        "ADDRESS_IN_USE" if error.errno == errno.EADDRINUSE else "ADDRESS_UNAVAILABLE"
    )
    return ListenError(code, name, error.strerror or str(error))
