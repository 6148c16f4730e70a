"""Open connections and listening sockets: processes that share one mix their data.

Datagram sockets are left out, since several processes may send on one. So are the two ends of a
pair within this process (an event loop's own, say), and sockets without a connection.
"""

from __future__ import annotations

import _socket
import os
import socket
import struct
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from cowherd_agent.fork_safety.descriptors import Descriptor
from cowherd_agent.fork_safety.finding import Finding
from cowherd_agent.fork_safety.heap_search import HeapSearch, Holder, kind_name
from cowherd_agent.fork_safety.loaded_classes import loaded_classes
from cowherd_agent.interpreter.by_type import is_kind_of

_STREAMS = (socket.SOCK_STREAM, socket.SOCK_SEQPACKET)

_SERVICES = {
    3306: "MySQL",
    5432: "PostgreSQL",
    5672: "AMQP",
    6379: "Redis",
    6432: "PgBouncer",
    9042: "Cassandra",
    9092: "Kafka",
    9200: "Elasticsearch",
    11211: "memcached",
    27017: "MongoDB",
}
"""By their usual ports, for connections of C libraries, which no Python object names."""

_DATABASE_PACKAGES = frozenset(
    (
        "aiomysql",
        "asyncpg",
        "cassandra",
        "ldap3",
        "mysql",
        "MySQLdb",
        "oracledb",
        "pg8000",
        "psycopg",
        "psycopg2",
        "pymemcache",
        "pymongo",
        "pymssql",
        "pymysql",
        "redis",
        "valkey",
    )
)

_AWARE_OF_FORKS = frozenset(("redis", "valkey", "pymongo"))
"""Packages whose connections are used only by the process that opened them: they compare
os.getpid() first (`_checkpid` of redis/connection.py; `open` of
pymongo/synchronous/topology.py)."""

_GRPC = "grpc._cython.cygrpc"

# Drivers whose connections are made in C, and give their descriptor by fileno().
_C_DRIVERS = (
    ("psycopg", "Connection"),
    ("psycopg", "AsyncConnection"),
    ("psycopg2.extensions", "connection"),
    ("MySQLdb.connections", "Connection"),
)

_CLOSE = "close it in the before_mold hook, and open it in after_fork or at the first request"


class Connection(NamedTuple):
    """A stream socket that is connected or listens."""

    descriptor: int
    what: str
    service: str | None


def look(opened: Sequence[Descriptor]) -> list[Connection]:
    """The connections among these descriptors, by the kernel alone."""
    return [connection for each in opened if each.is_socket and (connection := _look(each.number))]


def classes() -> list[type]:
    """Classes whose instances are connections."""
    return [socket.socket, *loaded_classes(_C_DRIVERS)]


def find(connections: Sequence[Connection], heap: HeapSearch) -> list[Finding]:
    """One finding for each connection that no library is known to handle across a fork."""
    holders = _holders({each.descriptor for each in connections}, heap)
    findings = []
    for connection in connections:
        holder = holders.get(connection.descriptor)
        if holder is None and connection.service is None and _GRPC in sys.modules:
            # No Python object holds gRPC's connections. In a child gRPC closes them and makes its
            # own (src/core/lib/event_engine/posix_engine, at-fork handlers).
            continue
        package = holder.kind.partition(".")[0] if holder else ""
        if package in _AWARE_OF_FORKS:
            continue
        is_database = package in _DATABASE_PACKAGES or connection.service is not None
        held = f", {holder.words}" if holder else ""
        usual = f" (the port of {connection.service})" if connection.service else ""
        findings.append(
            Finding(
                "database" if is_database else "socket",
                f"{connection.what}{usual}{held}",
                _CLOSE,
            )
        )
    return findings


def _look(descriptor: int) -> Connection | None:
    # The C class, and no default timeout: gevent's own class or a timeout would make the socket
    # non-blocking. Detached again below, so that nothing is closed.
    timeout = _socket.getdefaulttimeout()
    _socket.setdefaulttimeout(None)
    try:
        looked_at = _socket.socket(fileno=descriptor)
    except OSError:
        return None
    finally:
        _socket.setdefaulttimeout(timeout)
    try:
        return _describe(looked_at)
    except OSError:
        # No longer connected: nothing can be mixed.
        return None
    finally:
        looked_at.detach()


def _describe(looked_at: _socket.socket) -> Connection | None:
    if looked_at.type not in _STREAMS:
        return None
    descriptor = looked_at.fileno()
    is_unix = looked_at.family == socket.AF_UNIX
    kind = "Unix" if is_unix else "TCP"
    if looked_at.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        own = _address(looked_at.getsockname())
        return Connection(descriptor, f"{kind} socket that listens on {own}", None)
    peer = looked_at.getpeername()
    if is_unix and not peer and _peer_pid(looked_at) == os.getpid():
        return None
    port = peer[1] if isinstance(peer, tuple) else 0
    return Connection(descriptor, f"{kind} connection to {_address(peer)}", _SERVICES.get(port))


def _peer_pid(looked_at: _socket.socket) -> int:
    """Pid of the process that made the other end (unix(7), SO_PEERCRED)."""
    credentials = looked_at.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int(struct.unpack("3i", credentials)[0])


def _address(address: Any) -> str:
    if isinstance(address, tuple):
        host, port = address[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    text = os.fsdecode(address) if isinstance(address, bytes) else str(address)
    return text.replace("\0", "@") or "an unnamed socket"


def _holders(descriptors: set[int], heap: HeapSearch) -> dict[int, Holder]:
    """The holder of each connection, by descriptor."""
    found: dict[int, Any] = {}
    for each in heap.instances_of(classes()):
        number = _descriptor_of(each)
        # A driver's own connection goes before the socket that it may have made.
        if number in descriptors and (number not in found or _is_driver(each)):
            found[number] = each
    holders = heap.holders_of(list(found.values()))
    told: dict[int, Holder] = {}
    for number, each in found.items():
        holder = holders.get(id(each))
        if _is_driver(each):
            holder = Holder(kind_name(type(each)), holder.place if holder else "")
        if holder is not None:
            told[number] = holder
    return told


def _is_driver(thing: object) -> bool:
    return not is_kind_of(type(thing), socket.socket)


def _descriptor_of(thing: Any) -> int:
    try:
        return int(thing.fileno())
    except Exception:
        # Closed, or without a descriptor.
        return -1
