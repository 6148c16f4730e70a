"""Telemetry clients: queued events are sent before a fork, or each child would send a copy."""

from __future__ import annotations

import sys
from typing import Any

FLUSH_SECONDS = 2.0


def flush() -> list[str]:
    """Sends what Sentry has queued; returns what was done, in words.

    OpenTelemetry's processors need no flush: they forget their queue in a child (`_at_fork_reinit`
    of opentelemetry/sdk/_shared_internal) and keep it in the parent.
    """
    sentry: Any = sys.modules.get("sentry_sdk")
    if sentry is None:
        return []
    client = sentry.get_client() if hasattr(sentry, "get_client") else None
    if client is None or not client.is_active():
        return []
    sentry.flush(timeout=FLUSH_SECONDS)
    return ["Sentry's events were sent"]
