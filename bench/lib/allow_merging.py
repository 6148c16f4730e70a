"""A gunicorn.conf.py whose processes let the kernel merge their memory, as docs/heal.md shows."""

from typing import Any

from cowherd_agent.merging import allow_merging


def when_ready(server: Any) -> None:
    allow_merging()
