"""Datasette's databases: their threads and connections end before a fork, and come back on use.

Each database has a thread that writes, and connections of the threads that read. SQLite forbids
carrying connections across a fork, and a child has none of the threads. Datasette has no call that
ends them, so this module uses the few attributes of its class Database as they are in 0.65
(datasette/database.py). If they differ, nothing is done and a refork is refused as before.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any, NoReturn

from cowherd_agent.fork_safety.heap_search import HeapSearch
from cowherd_agent.fork_safety.loaded_classes import loaded_classes

THREAD_SECONDS = 1.0

_CLASSES = (("datasette.database", "Database"),)
_ATTRIBUTES = ("_write_thread", "_write_queue", "_all_file_connections", "memory_name")

# Keeps in-memory databases from vanishing with the threads that had them open.
_held: dict[str, Any] = {}


def end_writers() -> int:
    """Ends the threads that write; returns how many ended. Holds databases in memory open. The
    threads that read belong to a pool of concurrent.futures (executors.py), to be ended next."""
    ended = 0
    for database in _databases():
        if database.memory_name and database.memory_name not in _held:
            _held[database.memory_name] = database.connect()
        thread = database._write_thread
        if thread is not None and thread.is_alive():
            # Its loop survives every Exception of a task, but not SystemExit.
            database._write_queue.put(SimpleNamespace(fn=_leave))
            thread.join(THREAD_SECONDS)
            ended += not thread.is_alive()
        if thread is not None and not thread.is_alive():
            database._write_thread = None
    return ended


def close_files() -> None:
    """Closes the connections that the threads had; the next threads connect again."""
    for database in _databases():
        database.close()
        database._all_file_connections.clear()


def _leave(_connection: object) -> NoReturn:
    raise SystemExit


def _databases() -> list[Any]:
    if "datasette.database" not in sys.modules:
        return []
    classes = loaded_classes(_CLASSES)
    return [
        database
        for database in HeapSearch(classes).instances_of(classes)
        if all(hasattr(database, name) for name in _ATTRIBUTES)
    ]
