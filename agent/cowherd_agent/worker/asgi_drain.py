"""gunicorn's asgi worker's way out, without the loss of connections that it is still accepting.

`ASGIWorker._shutdown` (gunicorn/workers/gasgi.py) closes its servers, and waits for the connections
that it has counted. One whose TLS handshake is under way is not among them, nor is one that was
accepted in the same turn of the loop; before CPython 3.12.1 the loop's own `wait_closed` waits for
nothing (gh-79033). Both end with the loop, and their clients see a reset. Here the servers are
closed first, and what they have accepted is waited for.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

READ_SECONDS = 0.05
"""Many turns of the loop: for other loops than asyncio's own, whose handshakes can't be seen."""

HANDSHAKE_SECONDS = 1.0
LOOK_SECONDS = 0.01


def install() -> None:
    """Call in a worker, once its class is loaded. Nothing where that is another one."""
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
    """Whether one is between accept() and its protocol (Lib/asyncio/selector_events.py)."""
    names = (getattr(task.get_coro(), "__name__", "") for task in asyncio.all_tasks())
    return "_accept_connection2" in names
