"""Why something failed, in words for people."""

from __future__ import annotations

from cowherd_agent.wire.message_rules import BadMessage


def reason_of(error: Exception) -> str:
    if isinstance(error, BadMessage):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return f"{type(error).__name__}: {error}"
