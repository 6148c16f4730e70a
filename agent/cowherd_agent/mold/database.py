"""Django's default database: whether it can be opened."""

from __future__ import annotations

import socket
import sys
from typing import Any

NO_ANSWER = "no answer in time"

# By django.db.backends' vendor names.
_PORTS = {"postgresql": 5432, "mysql": 3306, "oracle": 1521}


def is_configured() -> bool:
    """Whether the application has Django with a database."""
    conf = sys.modules.get("django.conf")
    db = sys.modules.get("django.db")
    if conf is None or db is None or not conf.settings.configured:
        return False
    engine: str = conf.settings.DATABASES.get("default", {}).get("ENGINE", "")
    return bool(engine) and not engine.endswith(".dummy")


def why_not_open() -> str | None:
    """Opens a connection and closes it; returns the error, or None if that went well."""
    try:
        connection = _default()
        connection.ensure_connection()
        connection.close()
    except Exception as error:
        lines = str(error).strip().splitlines()
        return f"{type(error).__name__}: {lines[0] if lines else ''}"
    return None


def why_not_reachable(timeout_seconds: float) -> str | None:
    """Checks whether anybody listens on the database's address, which can't hang; returns the
    error, or None if somebody does."""
    connection = _default()
    settings = connection.settings_dict
    port = settings.get("PORT") or _PORTS.get(connection.vendor)
    host = settings.get("HOST") or "localhost"
    if port is None or host.startswith("/"):
        # A file, or a socket file: neither hangs by itself.
        return None
    try:
        socket.create_connection((host, int(port)), timeout_seconds).close()
    except OSError as error:
        return f"{type(error).__name__}: {error}"
    return None


def _default() -> Any:
    django_db: Any = sys.modules["django.db"]
    return django_db.connections["default"]
