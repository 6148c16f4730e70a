"""gunicorn's asgi worker leaves without losing connections that it is still accepting.

`ASGIWorker._shutdown` (gunicorn/workers/gasgi.py) closes its servers, and waits for the connections
that it has counted. It does not count a connection whose TLS handshake is under way, nor one that
was accepted in the same turn of the loop; before CPython 3.12.1 the loop's own `wait_closed` waits
for nothing (gh-79033). Such connections end with the loop, and their clients see a reset. Here the
servers are closed first, and the connections that they have accepted are waited for.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

READ_SECONDS = 0.05
"""Many turns of the loop, for loops other than asyncio's own: their handshakes can't be seen."""

HANDSHAKE_SECONDS = 1.0
LOOK_SECONDS = 0.01


def install() -> None:
    """Call in a worker, once its class is loaded. Does nothing for other worker classes."""
    module = sys.modules.get("gunicorn.workers.gasgi")
    worker_class: Any = getattr(module, "ASGIWorker", None)
    original = getattr(worker_class, "_shutdown", None)
    if original is None or getattr(original, "accepts_first", False):
        return

    async def shutdown(self: Any) -> None:
        for server in self.servers:
            server.close()
        await asyncio.sleep(READ_SECONDS)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + HANDSHAKE_SECONDS
        while _is_accepting() and loop.time() < deadline:
            await asyncio.sleep(LOOK_SECONDS)
        await original(self)

    shutdown.accepts_first = True  # type: ignore[attr-defined]
    worker_class._shutdown = shutdown


def _is_accepting() -> bool:
    """Whether a connection is between accept() and its protocol
    (Lib/asyncio/selector_events.py).
    """
    names = (getattr(task.get_coro(), "__name__", "") for task in asyncio.all_tasks())
    return "_accept_connection2" in names
